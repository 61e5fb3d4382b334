using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Auditing;
using Spectre.Console;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>How the progress of an activity reads; displays are told at once, on the reporting thread, so that lines keep their order.</summary>
internal static class ProgressText
{
    public static string Detail(this WalkProgress at) => at.Stage is null
        ? ""
        : $"{at.Stage}  loss {Numbers.Plain(at.LossNats)}  lr {Numbers.Plain(at.LearningRate)}";
}

/// <summary>A bar that moves.</summary>
internal sealed class ProgressBars(ProgressTask task, string title) : IProgress<WalkProgress>
{
    public void Report(WalkProgress value)
    {
        task.MaxValue = value.Total;
        task.Value = value.Done;
        task.Description = Markup.Escape($"{title}  {value.Detail()}");
    }
}

/// <summary>A line every few seconds, for logs.</summary>
internal sealed class ProgressLines(string title, TextWriter error) : IProgress<WalkProgress>
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _next = s_pause;

    public void Report(WalkProgress value)
    {
        if (_watch.Elapsed < _next) return;
        _next = _watch.Elapsed + s_pause;
        var rate = value.Done / _watch.Elapsed.TotalSeconds;
        var left = TimeSpan.FromSeconds((value.Total - value.Done) / Math.Max(rate, 1e-9));
        error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{title}  {value.Done}/{value.Total}  {value.Detail()}  {rate:0.0}/s  eta {left:hh\\:mm\\:ss}"));
    }
}
