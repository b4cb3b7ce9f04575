(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const data = JSON.parse(byId("data").textContent);
  const PAGE = 30;

  // What was switched is remembered where the browser allows it.
  const kept = {
    get(name) { try { return localStorage.getItem("dianjin-" + name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem("dianjin-" + name, value); } catch { /* private */ } },
  };

  // --- words -------------------------------------------------------------------------------
  const chinese = () => byId("in-zh").checked;
  const said = (words) => (Array.isArray(words) ? words[chinese() ? 1 : 0] : words);
  const wordsOf = (name) => data.words[name] || name;

  /** An element; children are nodes, texts, or [English, Chinese]. No markup is ever parsed. */
  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    for (const child of children) {
      if (child === null || child === undefined || child === "") continue;
      if (Array.isArray(child)) {
        for (const [nth, language] of ["en", "zh"].entries()) {
          const span = document.createElement("span");
          span.lang = language;
          span.textContent = child[nth];
          made.append(span);
        }
      } else made.append(child);
    }
    return made;
  }

  const toRelabel = []; // what can't hold two languages at once: options, placeholders
  function labelled(node, property, words) {
    toRelabel.push(() => { node[property] = said(words); });
    node[property] = said(words);
    return node;
  }

  // --- theme and language ------------------------------------------------------------------
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  function setTheme(name) {
    if (name) root.dataset.theme = name;
    byId("theme").setAttribute("aria-pressed", String(isDark()));
  }
  setTheme(kept.get("theme"));
  byId("theme").addEventListener("click", () => {
    setTheme(isDark() ? "light" : "dark");
    kept.set("theme", root.dataset.theme);
  });
  function setLanguage() {
    root.lang = chinese() ? "zh" : "en";
    kept.set("language", root.lang);
    for (const relabel of toRelabel) relabel();
  }
  const language = kept.get("language");
  if (language === "en" || language === "zh") byId("in-" + language).checked = true;
  for (const id of ["in-en", "in-zh"]) byId(id).addEventListener("change", () => { setLanguage(); tell(); });
  root.lang = chinese() ? "zh" : "en";

  if (!data.questions.length) { var tell = () => {}; return; }

  // --- filters -----------------------------------------------------------------------------
  const filters = byId("filters");
  const chosen = { text: "", show: "", run: String(data.runs.length - 1), task: "", reason: "", language: "", kind: "", category: "" };
  const taskOf = (question) => question.benchmark + (question.protocol ? " · " + question.protocol : "");

  function select(key, title, options, first) {
    const box = element("select");
    box.dataset.filter = key;
    for (const [value, words] of first ? [["", first], ...options] : options) {
      const option = element("option");
      option.value = value;
      box.append(labelled(option, "textContent", words));
    }
    box.value = chosen[key];
    box.addEventListener("change", () => { chosen[key] = box.value; refresh(); });
    filters.append(element("label", "", title, box));
    return box;
  }
  const values = (pick) => [...new Set(data.questions.flatMap(pick))].filter(Boolean).sort();
  const ALL = ["all", "全部"];

  const search = element("input");
  search.type = "search";
  search.id = "search";
  labelled(search, "placeholder", ["text of question, answer or response", "题目、答案或回答中的文字"]);
  const searchLabel = element("label", "search", ["Search", "搜索"], search);
  filters.append(searchLabel);
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { chosen.text = search.value.trim().toLowerCase(); refresh(); }, 120);
  });

  const shows = [
    ["wrong", ["wrong", "答错"]],
    ["right", ["right", "答对"]],
    ["contradicts", ["reasoning contradicts the answer", "推理与答案矛盾"]],
    ["cut", ["cut at the limit", "被截断"]],
  ];
  for (const [before, after] of data.pairs) {
    const way = data.runs[before] + " → " + data.runs[after];
    shows.push([`gained-${before}-${after}`, [`${way}: gained`, `${way}：由错变好`]]);
    shows.push([`lost-${before}-${after}`, [`${way}: lost`, `${way}：由好变错`]]);
  }
  select("show", ["Show", "显示"], shows, ALL);
  if (data.runs.length > 1) select("run", ["of model", "所指模型"], data.runs.map((name, nth) => [String(nth), name]));
  const tasks = values((question) => [taskOf(question)]);
  if (tasks.length > 1) select("task", ["Benchmark", "评测集"], tasks.map((name) => [name, name]), ALL);
  const named = (names) => names.map((name) => [name, data.words[name] ? [`${name}: ${data.words[name][0]}`, `${name}：${data.words[name][1]}`] : name]);
  select("reason", ["Reason", "评分原因"], named(values((question) => Object.values(question.answers).flat().map((answer) => answer.reason))), ALL);
  for (const [key, title] of [["language", ["Language", "语言"]], ["kind", ["Kind", "类型"]], ["category", ["Category", "类别"]]]) {
    const found = values((question) => [question[key]]);
    if (found.length > 1) select(key, title, found.map((name) => [name, wordsOf(name)]), ALL);
  }

  const plain = (parts) => parts.map((part) => (typeof part === "string" ? part : part.m || "")).join("");
  function haystack(question) {
    question.hay ??= [
      question.id, question.gold, plain(question.question), question.choices.flat().join("\n"),
      ...Object.values(question.answers).flat().map((answer) => answer.pred + "\n" + plain(answer.text)),
    ].join("\n").toLowerCase();
    return question.hay;
  }
  function fits(question) {
    const answers = question.answers[chosen.run] || [];
    if (chosen.task && taskOf(question) !== chosen.task) return false;
    for (const key of ["language", "kind", "category"]) {
      if (chosen[key] && question[key] !== chosen[key]) return false;
    }
    if (chosen.reason && !answers.some((answer) => answer.reason === chosen.reason)) return false;
    const [show, before, after] = chosen.show.split("-");
    if (show === "right" && !(question.shares[chosen.run] === 1)) return false;
    if (show === "wrong" && !(question.shares[chosen.run] < 1)) return false;
    if (show === "contradicts" && !answers.some((answer) => answer.contradicts)) return false;
    if (show === "cut" && !answers.some((answer) => answer.outcome === "cut")) return false;
    if (show === "gained" && !(question.shares[before] < question.shares[after])) return false;
    if (show === "lost" && !(question.shares[before] > question.shares[after])) return false;
    return !chosen.text || haystack(question).includes(chosen.text);
  }

  // --- the list ----------------------------------------------------------------------------
  const mark = (right) => element("span", right ? "right" : "wrong", right ? "✓" : "✗");

  function texts(parts, className) {
    const made = element("pre", className);
    made.tabIndex = 0;
    for (const part of parts) {
      if (typeof part === "string") made.append(part);
      else if (part.m !== undefined) made.append(element("mark", "", part.m));
      else {
        const many = part.g.toLocaleString("en");
        made.append(element("span", "gap", [`\n[… ${many} characters left out …]\n`, `\n[… 略去 ${many} 个字符 …]\n`]));
      }
    }
    return made;
  }

  function answerBox(answer, name, nth, many) {
    const box = element("article", answer.right ? "answer is-right" : "answer");
    const head = element(
      "header", "",
      element("strong", "", many > 1 ? `${name} #${nth + 1}` : name),
      element("span", answer.right ? "right" : "wrong", answer.right ? ["right", "正确"] : answer.reason),
      element("span", "", ["read: ", "读出："], answer.pred || ["nothing", "无"]),
      element("span", "faint", [`${answer.tokens} tokens`, `${answer.tokens} token`]),
    );
    if (answer.format !== 1) head.append(element("span", "wrong", ["format broken", "格式不符"]));
    if (answer.outcome === "cut") head.append(element("span", "flag", ["cut", "被截断"]));
    if (answer.contradicts) head.append(element("span", "flag", ["its reasoning states: ", "推理中陈述："], answer.stated));
    if (answer.judged) head.append(element("span", "faint", ["decided by the judge", "由裁判判定"]));
    const why = !answer.right && data.words[answer.reason];
    box.append(head);
    if (why) box.append(element("div", "part", why));
    box.append(texts(answer.text.length ? answer.text : [said(["(empty)", "（空）"])], "response"));
    return box;
  }

  function body(question) {
    const made = element("div");
    made.append(element("div", "part", ["Question", "题目"]), texts(question.question, "question"));
    if (question.choices.length) {
      const list = element("ul", "options");
      for (const [letter, text] of question.choices) list.append(element("li", "", `${letter}. ${text}`));
      made.append(list);
    }
    made.append(element("div", "", element("span", "part", ["Gold answer: ", "标准答案："]), element("b", "gold", question.gold)));
    if (question.prompt.length) {
      const prompt = element("details", "", element("summary", "", ["Prompt as sent", "实际提示词"]));
      for (const [role, parts] of question.prompt) prompt.append(element("div", "part", role), texts(parts, "prompt"));
      made.append(prompt);
    }
    const answers = element("div", "answers");
    for (const [nth, name] of data.runs.entries()) {
      const of = question.answers[nth] || [];
      of.forEach((answer, sample) => answers.append(answerBox(answer, name, sample, of.length)));
    }
    made.append(answers);
    return made;
  }

  function item(question) {
    const verdicts = element("span", "verdicts");
    for (const [nth, name] of data.runs.entries()) {
      const share = question.shares[nth];
      if (share === undefined) continue;
      const label = share > 0 && share < 1 ? element("span", "", ` ${Math.round(100 * share)} %`) : "";
      verdicts.append(element("span", "", mark(share >= 0.5), ` ${name}`, label));
    }
    const excerpt = element("span", "excerpt", plain(question.question).replace(/\s+/g, " ").slice(0, 220));
    const made = element("details", "sample", element("summary", "", element("code", "", question.id), verdicts, excerpt));
    made.addEventListener("toggle", () => {
      if (!made.open || made.dataset.built) return;
      made.dataset.built = "1";
      made.append(body(question));
      for (const pre of made.querySelectorAll("pre.response")) {
        const found = pre.querySelector("mark");
        if (found) pre.scrollTop = found.offsetTop - pre.clientHeight / 2;
      }
    });
    return made;
  }

  let found = [];
  let shown = 0;
  function more() {
    const next = found.slice(shown, shown + PAGE);
    byId("list").append(...next.map(item));
    shown += next.length;
    byId("more").hidden = shown >= found.length;
  }
  function tell() {
    const all = data.questions.length;
    byId("count").textContent = chinese()
      ? `${all.toLocaleString("en")} 道题中有 ${found.length.toLocaleString("en")} 道符合`
      : `${found.length.toLocaleString("en")} of ${all.toLocaleString("en")} questions`;
  }
  function refresh() {
    found = data.questions.filter(fits);
    shown = 0;
    byId("list").replaceChildren();
    more();
    tell();
  }
  byId("more").addEventListener("click", more);
  refresh();
})();
