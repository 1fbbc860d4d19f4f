// The Dash component: one <div>, one map session inside it. React comes from Dash.
import { Session } from "./session.js";

const React = window.React;

export function GridMap(props) {
  const box = React.useRef(null);
  const session = React.useRef(null);

  React.useEffect(() => {
    session.current = new Session(box.current, props);
    return () => session.current.close();
  }, []);

  React.useEffect(() => {
    session.current.update(props);
  });

  return React.createElement(
    "div",
    {
      id: props.id,
      className: props.className ? `gridmap ${props.className}` : "gridmap",
      style: props.style,
      "data-theme": props.theme === "light" ? "light" : "dark",
      lang: props.lang === "en" ? "en" : "zh-CN",
    },
    React.createElement("div", { ref: box, className: "gridmap-box" }),
  );
}
