"""How far apart colours look: CAM02-UCS, as seen with and without a colour-vision deficiency."""

from __future__ import annotations

import numpy as np

# Machado, Oliveira and Fernandes (2009), severity 1, on linear sRGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_CAT02 = np.array([[0.7328, 0.4296, -0.1624], [-0.7036, 1.6975, 0.0061], [0.0030, 0.0136, 0.9834]])
_HPE = np.array([[0.38971, 0.68898, -0.07868], [-0.22981, 1.18340, 0.04641], [0.0, 0.0, 1.0]])
_WHITE = np.array([95.047, 100.0, 108.883])
_ADAPTING, _BACKGROUND = 64 / np.pi / 5, 20.0  # an office screen, as CAM02-UCS is usually given
_F, _C, _NC = 1.0, 0.69, 1.0  # average surround


def linear(hexes: list[str]) -> np.ndarray:
    rgb = np.array([[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for text in hexes])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours."""
    low, high = sorted(linear([first, second]) @ _XYZ[1])
    return float((high + 0.05) / (low + 0.05))


def nearest_pair(hexes: list[str], deficiency: str) -> float:
    """Return the least CAM02-UCS distance between any two of the colours."""
    seen = np.clip(linear(hexes) @ DEFICIENCIES[deficiency].T, 0, 1)
    places = cam02_ucs(100 * seen @ _XYZ.T)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    return float(apart[np.triu_indices(len(hexes), 1)].min())


def cam02_ucs(xyz: np.ndarray) -> np.ndarray:
    """Return J', a', b' (Luo, Cui and Li 2006) by way of CIECAM02 (CIE 159:2004)."""
    k = 1 / (5 * _ADAPTING + 1)
    fl = 0.2 * k**4 * 5 * _ADAPTING + 0.1 * (1 - k**4) ** 2 * np.cbrt(5 * _ADAPTING)
    n = _BACKGROUND / 100
    nbb = 0.725 * (1 / n) ** 0.2
    z = 1.48 + np.sqrt(n)
    d = _F * (1 - np.exp((-_ADAPTING - 42) / 92) / 3.6)

    def respond(light: np.ndarray) -> np.ndarray:
        cone = light @ _CAT02.T * (d * 100 / (_CAT02 @ _WHITE) + 1 - d)
        hpe = cone @ np.linalg.inv(_CAT02).T @ _HPE.T
        power = (fl * np.abs(hpe) / 100) ** 0.42
        return np.sign(hpe) * 400 * power / (power + 27.13) + 0.1

    def achromatic(r: np.ndarray) -> np.ndarray:
        return (2 * r[..., 0] + r[..., 1] + r[..., 2] / 20 - 0.305) * nbb

    r = respond(xyz)
    a = r[:, 0] - 12 * r[:, 1] / 11 + r[:, 2] / 11
    b = (r[:, 0] + r[:, 1] - 2 * r[:, 2]) / 9
    hue = np.arctan2(b, a)
    lightness = 100 * (achromatic(r) / achromatic(respond(_WHITE))) ** (_C * z)
    eccentric = (np.cos(hue + 2) + 3.8) / 4
    t = 50000 / 13 * _NC * nbb * eccentric * np.hypot(a, b) / (r[:, 0] + r[:, 1] + 1.05 * r[:, 2])
    chroma = t**0.9 * np.sqrt(lightness / 100) * (1.64 - 0.29**n) ** 0.73
    colourful = chroma * fl**0.25
    j = 1.7 * lightness / (1 + 0.007 * lightness)
    m = np.log(1 + 0.0228 * colourful) / 0.0228
    return np.stack([j, m * np.cos(hue), m * np.sin(hue)], axis=1)
