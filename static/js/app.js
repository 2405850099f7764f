// Three things that markup can't do. Everything works without this file.
//
// 1. A press that gets no answer says so: the text stands ready in the page, in
//    the reader's language, and is put into the row's own message.
// 2. When the button that was pressed is gone from the answer, the focus goes to
//    what came in its place, not to the top of the page.
// 3. The phone menu closes on Escape and gives the focus back.
"use strict";

document.addEventListener("htmx:error", (event) => {
  const text = document.getElementById("no-answer");
  const row = event.target instanceof Element && event.target.closest("[data-row]");
  const place = row && row.querySelector("[data-message]");
  if (text && place) place.replaceChildren(text.content.cloneNode(true));
});

let pressed = null;

document.addEventListener("htmx:before:request", () => {
  pressed = document.activeElement;
});

document.addEventListener("htmx:before:settle", (event) => {
  const row = event.target instanceof Element && event.target.closest("[data-row]");
  if (!row || !pressed || pressed === document.body || pressed.isConnected) return;
  pressed = null;
  const next = row.matches(".consent") && row.querySelector(".consent-act button, .box button, .protest button")
    || row.querySelector("[data-message]");
  if (next) next.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
