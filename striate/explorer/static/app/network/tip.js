// The small label beside the pointer.

const tip = document.getElementById("tip");

/** Show a text beside the pointer. */
export function showTip(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const top = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18;
  Object.assign(tip.style, { left: `${left}px`, top: `${top}px` });
}

/** Take it away. */
export function hideTip() {
  tip.hidden = true;
}
