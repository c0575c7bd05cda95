// Elements made of data: text is always text, so that no name can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: h("button", {class: "quiet", onclick: save}, "Save"). */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** Make an SVG element. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The head of a table; a column without a name has an empty cell. */
export function head(names) {
  return h("thead", {}, h("tr", {}, names.map((name) => name ? h("th", { scope: "col" }, name) : h("td"))));
}

/** Put new children in the place of the old ones. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

/** Say something to a screen reader. */
export function tell(text) {
  document.getElementById("live").textContent = text;
}

/** A button with an small icon and a name for everybody. */
export function icon(sign, name, onclick, more = {}) {
  return h("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick, ...more }, sign);
}

/** A group of buttons of which one is pressed. */
export function choice(name, options, chosen, onchoose) {
  const buttons = options.map(([value, text, title]) =>
    h("button", {
      type: "button", title, "aria-pressed": String(value === chosen),
      onclick: () => {
        for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === String(value)));
        onchoose(value);
      },
      "data-value": value,
    }, text));
  return h("div", { class: "choice", role: "group", "aria-label": name }, buttons);
}
