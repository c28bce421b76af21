(function () {
  "use strict";
  var root = document.documentElement;
  // Some browsers refuse storage to pages from disk; the theme is then not remembered.
  function stored(value) {
    try {
      if (value) localStorage.setItem("undertone-theme", value);
      return localStorage.getItem("undertone-theme");
    } catch (refused) {
      return null;
    }
  }
  var theme = stored();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    stored(root.dataset.theme);
  });

  function sort(table, header) {
    var column = Array.prototype.indexOf.call(header.parentNode.children, header);
    var descending = header.getAttribute("aria-sort") === "ascending";
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) {
      var cell = row.cells[column];
      var key = cell.dataset.k;
      return { row: row, number: key === undefined ? null : Number(key), text: cell.textContent };
    });
    rows.sort(function (a, b) {
      // What has no number stays last, whichever way the others are sorted.
      if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
      var order = a.number === null ? a.text.localeCompare(b.text) : a.number - b.number;
      return descending ? -order : order;
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
    header.parentNode.querySelectorAll("th").forEach(function (other) { other.setAttribute("aria-sort", "none"); });
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    table.querySelectorAll("thead th").forEach(function (header) {
      header.querySelector("button").addEventListener("click", function () { sort(table, header); });
    });
  });

  // One clip at a time.
  document.addEventListener("play", function (event) {
    document.querySelectorAll("audio").forEach(function (other) { if (other !== event.target) other.pause(); });
  }, true);
})();
