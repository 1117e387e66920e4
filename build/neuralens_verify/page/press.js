// Clicks the button of a consent banner that accepts or refuses, in the most common languages;
// returns its text, or "".
([refuse]) => {
  const label = refuse
    ? /^\W*(reject|decline|deny|refuse|no\b|only necessary|necessary only|ablehnen|nur notwendige|refuser|rechazar|rifiuta|weigeren|avvisa|odmítnout|odrzuć)/i
    : /^\W*(accept|allow|agree|i agree|ok\b|got it|yes\b|alle akzeptieren|akzeptieren|zustimmen|accepter|tout accepter|aceptar|accetta|accepteren|godkänn|přijmout|akceptuj)/i;
  const topic = /cookie|consent|privacy|tracking|datenschutz|confidentialité|privacidad/i;
  for (const button of document.querySelectorAll("button, a, [role=button], input[type=submit], input[type=button]")) {
    const text = (button.innerText || button.value || button.getAttribute("aria-label") || "").trim();
    if (text.length > 40 || !label.test(text) || !button.checkVisibility()) continue;
    let ancestor = button.parentElement;
    for (let depth = 0; ancestor && ancestor !== document.body && depth < 6; depth += 1, ancestor = ancestor.parentElement) {
      if (topic.test(ancestor.innerText)) {
        button.click();
        return text;
      }
    }
  }
  return "";
}
