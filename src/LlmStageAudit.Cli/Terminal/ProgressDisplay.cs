using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Shows how far work has come.</summary>
internal interface IProgressDisplay
{
    /// <summary>So much is done, and what is going on, such as the stage and the loss.</summary>
    void Report(int done, int total, string detail);
}

internal static class ProgressDisplay
{
    public static IProgressDisplay None { get; } = new Silence();

    /// <summary>An IProgress that reports at once, on the reporting thread, so that lines keep their order.</summary>
    public static IProgress<T> To<T>(this IProgressDisplay display, Action<IProgressDisplay, T> report) =>
        new Immediate<T>(display, report);

    private sealed class Silence : IProgressDisplay
    {
        public void Report(int done, int total, string detail)
        {
        }
    }

    private sealed class Immediate<T>(IProgressDisplay display, Action<IProgressDisplay, T> report) : IProgress<T>
    {
        public void Report(T value) => report(display, value);
    }
}

/// <summary>A bar that moves.</summary>
internal sealed class ProgressBars(ProgressTask task, string title) : IProgressDisplay
{
    public void Report(int done, int total, string detail)
    {
        task.MaxValue = total;
        task.Value = done;
        task.Description = Markup.Escape($"{title}  {detail}");
    }
}

/// <summary>A line every few seconds, for logs.</summary>
internal sealed class ProgressLines(string title, TextWriter error) : IProgressDisplay
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _next = s_pause;

    public void Report(int done, int total, string detail)
    {
        if (_watch.Elapsed < _next) return;
        _next = _watch.Elapsed + s_pause;
        var rate = done / _watch.Elapsed.TotalSeconds;
        var left = TimeSpan.FromSeconds((total - done) / Math.Max(rate, 1e-9));
        error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{title}  {done}/{total}  {detail}  {rate:0.0}/s  eta {left:hh\\:mm\\:ss}"));
    }
}
