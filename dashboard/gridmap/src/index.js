// What Dash finds as window.gridmap.GridMap.
import { GridMap } from "./component.js";

window.gridmap = { GridMap };
