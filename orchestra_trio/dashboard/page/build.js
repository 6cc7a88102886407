// Making elements. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element: attributes by name, then children: elements or texts. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Set an element's text, if it is another one: what does not change is not told anew by screen readers. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, if it is another one. */
export function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Show lines in a list, one element for each, keeping those there are. */
export function list(element, lines, none) {
  const shown = lines.length ? lines : [{ text: none, kind: "none" }];
  while (element.children.length > shown.length) element.lastElementChild.remove();
  shown.forEach((line, at) => {
    const item = element.children[at] ?? element.appendChild(html("li"));
    say(item, line.text);
    set(item, "class", line.kind ?? "");
  });
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
