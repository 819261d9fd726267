// SPDX-License-Identifier: Apache-2.0
"use strict";
// The page can be used from here on.

for (const link of document.querySelectorAll("nav a"))
  link.hidden = report.byId(link.hash.slice(1)).hidden;

{
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) links.get(target.id)?.classList.toggle("here", isIntersecting);
  }, { rootMargin: "-45% 0px -50% 0px" });
  for (const section of document.querySelectorAll("main > section")) observer.observe(section);
}

Promise.resolve(report.firstView).then(() => {
  performance.mark("report-ready");
  document.documentElement.dataset.ready = "true";
});
