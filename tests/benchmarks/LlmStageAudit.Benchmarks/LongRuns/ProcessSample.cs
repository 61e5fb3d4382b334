using System.Globalization;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Benchmarks.LongRuns;

/// <summary>What a process held after a step, as it says at log level debug. Sizes in KiB.</summary>
internal sealed partial record ProcessSample(
    int Step,
    int Steps,
    long Resident,
    long Peak,
    long Anonymous,
    long Heap,
    long Tensors,
    int Files,
    int Threads)
{
    /// <summary>All samples that standard error holds, in order.</summary>
    public static ProcessSample[] Of(string error) =>
        [.. Line().Matches(error).Select(match => new ProcessSample(
            (int)Number(match, 1),
            (int)Number(match, 2),
            Number(match, 3),
            Number(match, 4),
            Number(match, 5),
            Number(match, 6),
            Number(match, 7),
            (int)Number(match, 8),
            (int)Number(match, 9)))];

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"  (\d+)/(\d+)  .*resident=(\d+) peak=(\d+) anonymous=(\d+) heap=\d+ survived=(\d+) tensors=(\d+) files=(\d+) threads=(\d+)")]
    private static partial Regex Line();
}
