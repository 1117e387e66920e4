// Clicks the button of a consent banner that accepts or refuses, in the most common languages, also
// in a shadow tree, as observe.js knows them, or in a frame of its own; returns its text, or "".
([refuse]) => {
  const label = refuse
    ? /^\W*(reject|decline|deny|refuse|no\b|only necessary|necessary only|ablehnen|nur notwendige|refuser|rechazar|rifiuta|weigeren|avvisa|odmítnout|odrzuć)/i
    : /^\W*(accept|allow|agree|i agree|ok\b|got it|yes\b|alle akzeptieren|akzeptieren|zustimmen|accepter|tout accepter|aceptar|accetta|accepteren|godkänn|přijmout|akceptuj)/i;
  const topic = /cookie|consent|privacy|tracking|datenschutz|confidentialité|privacidad/i;
  const selector = "button, a, [role=button], input[type=submit], input[type=button]";
  const find = (root) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].map(window.neuralensShadow).flatMap((shadow) => (shadow ? find(shadow) : [])),
  ];
  // Its text may only say what is stored: then its name tells what it is.
  const named = /cookie|consent|privacy/i;
  const nameOf = (node) => [node.id, node.className, node.ariaLabel].join(" ");
  // A page's body may mention cookies anywhere; that of a banner's frame is the banner, and so is
  // that of a page which says little else, as a wall does.
  const isWall = document.body.innerText.trim().split(/\s+/).length < 60;
  const isBody = (node) => node === document.body && window === window.top && !isWall;
  for (const button of find(document)) {
    const text = (button.innerText || button.value || button.getAttribute("aria-label") || "").trim();
    if (text.length > 40 || !label.test(text) || !button.checkVisibility()) continue;
    let ancestor = button.parentNode;
    for (let depth = 0; ancestor && !isBody(ancestor) && depth < 8; depth += 1, ancestor = ancestor.parentNode ?? ancestor.host) {
      if (topic.test(ancestor.innerText ?? ancestor.textContent) || named.test(nameOf(ancestor))) {
        button.click();
        return text;
      }
    }
  }
  return "";
}
