// Two things that markup can't do. Everything works without this file.
//
// 1. A press that gets no answer says so: the text stands ready in the page, in
//    the reader's language, and is put into the row's own message.
// 2. The phone menu closes on Escape and gives focus back.
"use strict";

document.addEventListener("htmx:error", (event) => {
  const text = document.getElementById("no-answer");
  const row = event.target instanceof Element && event.target.closest("[data-row]");
  const place = row && row.querySelector("[data-message]");
  if (text && place) place.replaceChildren(text.content.cloneNode(true));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
