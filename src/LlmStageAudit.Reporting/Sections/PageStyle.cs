namespace LlmStageAudit.Reporting.Sections;

/// <summary>What the page looks like, beside its charts. Colours are those of <see cref="Charts.ChartStyle"/>.</summary>
internal static class PageStyle
{
    public const string Css = """
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.55;
          font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 16px; }
        main { max-width: 980px; margin: 0 auto; padding: 56px 32px 72px; }
        header { margin-bottom: 12px; }
        h1, .question, .answer {
          font-family: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", "DejaVu Serif", Georgia, serif; }
        h1 { margin: 6px 0 10px; font-size: 2.3rem; line-height: 1.15; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
        h2 { margin: 0 0 14px; font-size: 0.8rem; font-weight: 650; letter-spacing: 0.09em; text-transform: uppercase;
          color: var(--muted); }
        h3 { margin: 30px 0 10px; font-size: 1.08rem; font-weight: 640; overflow-wrap: anywhere; }
        h3 small { margin-left: 10px; font-weight: 400; color: var(--muted); font-size: 0.86em; }
        section { margin-top: 40px; padding-top: 24px; border-top: 1px solid var(--line); }
        p { margin: 0 0 12px; overflow-wrap: anywhere; }
        .eyebrow, .byline, .quiet { color: var(--muted); font-size: 0.9rem; margin: 0; }
        .eyebrow { letter-spacing: 0.09em; text-transform: uppercase; font-size: 0.78rem; font-weight: 650; }
        .quiet { margin: 8px 0 0; }
        .question { font-size: 1.3rem; line-height: 1.4; margin-bottom: 20px; }
        .question strong { font-weight: 600; }
        .answer { font-size: 1.65rem; line-height: 1.36; margin: 0 0 16px; padding: 2px 0 2px 20px; border-left: 5px solid var(--line); }
        .answer strong { font-weight: 650; }
        .answer.is-raised { border-left-color: var(--raised); }
        .answer.is-lowered { border-left-color: var(--lowered); border-left-style: double; }
        .answer.is-raised .figure { color: var(--raised); }
        .answer.is-lowered .figure { color: var(--lowered); }
        .notice { padding: 10px 14px; border: 1px solid var(--line); border-left: 4px solid var(--rate); background: var(--surface);
          border-radius: 3px; font-size: 0.94rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(155px, 1fr)); gap: 1px; margin: 0; background: var(--line);
          border: 1px solid var(--line); border-radius: 5px; overflow: hidden; }
        .facts div { background: var(--surface); padding: 11px 14px 12px; }
        .facts dt { font-size: 0.78rem; color: var(--muted); }
        .facts dd { margin: 1px 0 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; line-height: 1.35; }
        .facts small { display: block; font-weight: 400; color: var(--muted); font-size: 0.8rem; margin-top: 2px; }
        figure { margin: 18px 0 22px; }
        .wide { overflow-x: auto; }
        .wide .chart { min-width: 640px; }
        .facets { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 14px 26px; }
        .facets > div { max-width: 380px; }
        figcaption { margin-top: 10px; color: var(--muted); font-size: 0.88rem; max-width: 76ch; overflow-wrap: anywhere; }
        .scroll { overflow-x: auto; margin: 12px 0 4px; }
        .scroll + p { margin-top: 12px; }
        table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
        caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        th, td { text-align: left; vertical-align: top; padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line);
          overflow-wrap: anywhere; min-width: 8.5em; }
        th:last-child, td:last-child { padding-right: 0; }
        thead th { font-size: 0.8rem; font-weight: 550; color: var(--muted); vertical-align: bottom;
          border-bottom: 1px solid var(--muted); overflow-wrap: normal; }
        tbody th { font-weight: 600; }
        td small, th small { display: block; color: var(--muted); font-weight: 400; font-size: 0.84em; }
        .number { text-align: right; white-space: nowrap; min-width: 0; }
        .number + :not(.number) { padding-left: 14px; }
        .terms { margin: 0; }
        .terms div { display: grid; grid-template-columns: 190px 1fr; gap: 4px 22px; padding: 9px 0;
          border-bottom: 1px solid var(--faint); }
        .terms dt { font-weight: 600; overflow-wrap: anywhere; }
        .terms dd { margin: 0; max-width: 70ch; overflow-wrap: anywhere; }
        .terms.plain div { padding: 4px 0; }
        .terms.plain dt { font-weight: 400; color: var(--muted); }
        pre { margin: 10px 0 12px; padding: 12px 16px; background: var(--surface); border: 1px solid var(--line); border-radius: 5px;
          overflow-x: auto; font-size: 0.85rem; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
        code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
        details { margin-top: 18px; }
        summary { cursor: pointer; color: var(--muted); font-size: 0.94rem; }
        footer { margin-top: 44px; color: var(--muted); font-size: 0.85rem; }
        @media (max-width: 640px) {
          main { padding: 30px 18px 48px; }
          h1 { font-size: 1.7rem; }
          .question { font-size: 1.12rem; }
          .answer { font-size: 1.3rem; padding-left: 14px; }
          .terms div { grid-template-columns: 1fr; }
          .facets > div { max-width: none; } }
        @media print {
          body { font-size: 11pt; }
          main { max-width: none; padding: 0; }
          section { margin-top: 24px; padding-top: 16px; }
          figure, tr, .facts, .terms div, pre.commands { break-inside: avoid; }
          h2, h3 { break-after: avoid; }
          .wide, .scroll { overflow: visible; }
          .wide .chart { min-width: 0; }
          .chart, .answer { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
        """;
}
