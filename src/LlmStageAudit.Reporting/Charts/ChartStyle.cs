namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// What the classes of every chart look like. Raised is vermilion and lowered is blue, which red-green and blue-yellow blindness both keep
/// apart; a sign, a side or a hatch always says the same again.
/// </summary>
internal static class ChartStyle
{
    /// <summary>Style rules for a page with charts. The colours follow the reader's light or dark preference; print is light.</summary>
    public const string Css = """
        :root { color-scheme: light dark;
          --page: #fcfcfa; --surface: #ffffff; --ink: #1b1f27; --muted: #5a6472; --line: #dfe2e6; --faint: #eef0f2;
          --raised: #c8430f; --lowered: #1f62ad; --accent: #37506f; --rate: #8a6d1d; }
        @media (prefers-color-scheme: dark) { :root {
          --page: #12151a; --surface: #191d24; --ink: #e7e9ec; --muted: #9ca6b3; --line: #313843; --faint: #232932;
          --raised: #f5925a; --lowered: #74b4f5; --accent: #a9c1de; --rate: #d5b65f; } }
        @media print { :root { color-scheme: light;
          --page: #ffffff; --surface: #ffffff; --ink: #000000; --muted: #444444; --line: #c9c9c9; --faint: #efefef;
          --raised: #b23a0c; --lowered: #1a5596; --accent: #37506f; --rate: #7a5f14; } }
        .chart { display: block; width: 100%; height: auto; font-family: inherit; }
        .chart text { fill: var(--ink); font-size: 13px; font-variant-numeric: tabular-nums; }
        .chart .minor { fill: var(--muted); font-size: 11.5px; }
        .chart .strong { font-weight: 600; }
        .chart .grid { stroke: var(--faint); stroke-width: 1; }
        .chart .axis { stroke: var(--muted); stroke-width: 1; }
        .chart .zero { stroke: var(--ink); stroke-width: 1.25; }
        .chart .raised { fill: var(--raised); }
        .chart .lowered { fill: var(--lowered); }
        .chart .neutral { fill: var(--accent); }
        .chart .raised-line { stroke: var(--raised); stroke-width: 1.4; }
        .chart .lowered-line { stroke: var(--lowered); stroke-width: 1.4; }
        .chart .hatch-raised { stroke: var(--raised); stroke-width: 3.6; }
        .chart .hatch-lowered { stroke: var(--lowered); stroke-width: 3.6; }
        .chart .hollow-raised { fill: var(--surface); stroke: var(--raised); stroke-width: 1.6; stroke-dasharray: 3 2.5; }
        .chart .hollow-lowered { fill: var(--surface); stroke: var(--lowered); stroke-width: 1.6; stroke-dasharray: 3 2.5; }
        .chart .thin-raised { fill: none; stroke: var(--raised); stroke-width: 0.7; stroke-dasharray: 1.5 3; }
        .chart .thin-lowered { fill: none; stroke: var(--lowered); stroke-width: 0.7; stroke-dasharray: 1.5 3; }
        .chart .mark { font-weight: 600; paint-order: stroke; stroke: var(--surface); stroke-width: 3px; stroke-linejoin: round; }
        .chart .leader { stroke: var(--muted); stroke-width: 0.8; }
        .chart .hatch-missing { stroke: var(--line); stroke-width: 2; }
        .chart .whisker { stroke: var(--ink); stroke-width: 1.5; }
        .chart .diamond { fill: var(--surface); stroke: var(--ink); stroke-width: 1.75; }
        .chart .point { fill: var(--accent); fill-opacity: 0.5; }
        .chart .identity { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 5 4; }
        .chart .frame { fill: none; stroke: var(--line); stroke-width: 1; }
        .chart .band { fill: var(--faint); }
        .chart .raw { fill: none; stroke: var(--accent); stroke-width: 1; stroke-opacity: 0.5; stroke-linejoin: round; }
        .chart .smooth { fill: none; stroke: var(--accent); stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
        .chart .rate { fill: none; stroke: var(--rate); stroke-width: 1.5; stroke-dasharray: 2 3; }
        .chart .rate-text { fill: var(--rate); font-size: 11.5px; }
        .chart .cell { stroke: var(--surface); stroke-width: 2; }
        .chart .empty { fill: none; stroke: var(--line); }
        .chart .change { font-size: 12px; }
        """;
}
