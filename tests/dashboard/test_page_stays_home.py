"""No request leaves the server's own address, and none has to: the page works without a network."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from tests.conftest import ROOT
from tests.dashboard.page_tour import take_tour


def test_a_tour_of_everything_asks_only_its_own_server(open_page, gaoshan_app, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    city = open_page(gaoshan_app)
    take_tour(city)
    outside = [url for url in asked if not url.startswith((city.address, "data:", "blob:"))]
    assert outside == []
    assert len(asked) > 60
    assert city.problems == []


def test_with_the_network_cut_the_same_tour_reaches_idle(gaoshan):
    permitted = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if permitted.returncode:
        pytest.skip("this machine does not let a test cut its own network (unshare --net)")
    ran = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.dashboard.page_tour", gaoshan.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = orjson.loads(ran.stdout.splitlines()[-1])
    assert told == {"reached": "idle", "interfaces": ["lo"], "problems": []}
