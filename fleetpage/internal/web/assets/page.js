// Keeps the page current: fetches it again and replaces its live parts. Without this script the page reloads as a whole.
"use strict";
(() => {
  const main = document.querySelector("main[data-refresh]");
  localTimes(document);
  if (!main) return;
  const period = Number(main.dataset.refresh) * 1000;
  let tag = null;
  let failed = 0;

  async function refresh() {
    if (!document.hidden) {
      try {
        const response = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
        if (response.ok) {
          tag = response.headers.get("ETag");
          replace(new DOMParser().parseFromString(await response.text(), "text/html"));
        } else if (response.status !== 304) {
          throw new Error(response.statusText);
        }
        connected(true);
      } catch {
        connected(false);
      }
    }
    setTimeout(refresh, failed > 3 ? 4 * period : period);
  }

  // replace takes over what differs, so that screen readers hear of changes only, and keeps the focus where it is.
  function replace(next) {
    localTimes(next);
    document.title = next.title;
    const focused = document.activeElement;
    const href = focused?.closest("[data-live]") && focused.getAttribute("href");
    // Sections appear and vanish. Parts are compared in order, those with forms stay.
    const before = new Map([...document.querySelectorAll("[data-live]")].map((e) => [e.id, e]));
    const after = [...next.querySelectorAll("[data-live]")];
    let previous = null;
    for (const part of after) {
      const current = before.get(part.id);
      before.delete(part.id);
      if (!current) {
        const adopted = document.adoptNode(part);
        if (previous && previous.parentElement === main) previous.after(adopted);
        else main.append(adopted);
        previous = adopted;
        continue;
      }
      if (!current.isEqualNode(part)) {
        const heading = current.querySelector("[role=status]");
        const news = part.querySelector("[role=status]");
        const adopted = document.adoptNode(part);
        if (heading && news) {
          // The element that is announced stays in place.
          if (heading.textContent !== news.textContent) heading.replaceChildren(...news.childNodes);
          news.replaceWith(heading);
        }
        current.className = adopted.className;
        current.replaceChildren(...adopted.childNodes);
      }
      previous = current;
    }
    for (const gone of before.values()) gone.remove();
    if (href !== null && href !== undefined && document.activeElement !== focused) {
      [...document.querySelectorAll("[data-live] a")].find((a) => a.getAttribute("href") === href)?.focus({ preventScroll: true });
    }
  }

  function connected(ok) {
    failed = ok ? 0 : failed + 1;
    const fresh = document.getElementById("fresh");
    if (failed > 1) fresh.textContent = "The Collector does not respond";
    fresh.classList.toggle("lost", failed > 1);
    if (failed > 1) tag = null;
  }

  setTimeout(refresh, period);

  // localTimes writes times in the zone of whoever reads them.
  function localTimes(root) {
    const day = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    for (const time of root.querySelectorAll("time")) {
      const at = new Date(time.getAttribute("datetime"));
      const dated = /\d [A-Z][a-z]{2} /.test(time.textContent) ? { day: "numeric", month: "short", ...day } : day;
      time.textContent = at.toLocaleString("en-GB", dated);
      time.title = at.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "long" });
    }
    for (const zone of root.querySelectorAll("[data-zone]")) zone.textContent = "those of your time zone";
  }
})();
