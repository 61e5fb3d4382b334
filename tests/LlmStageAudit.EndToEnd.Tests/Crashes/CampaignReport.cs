using System.Diagnostics;
using System.Globalization;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>How far a campaign goes, and where its figures go.</summary>
internal static class CampaignReport
{
    /// <summary>The number of cases: as the script says, or the share that the tests run.</summary>
    /// <param name="setting">Part of the environment variable's name.</param>
    public static int Points(string setting, int share) =>
        int.TryParse(
            Environment.GetEnvironmentVariable($"STAGEAUDIT_CRASH_{setting}"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var points)
            ? points
            : share;

    /// <summary>Whether the time is up that the script allows a campaign; the points made until then count.</summary>
    public static bool IsOver(Stopwatch campaign) =>
        int.TryParse(
            Environment.GetEnvironmentVariable("STAGEAUDIT_CRASH_MINUTES"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var minutes)
        && campaign.Elapsed.TotalMinutes >= minutes;

    /// <summary>A row of a table, where the script asked for it.</summary>
    public static void Row(string table, params object[] cells)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_CRASH_REPORT") is not { Length: > 0 } folder) return;
        var row = string.Join(" | ", cells.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture)));
        File.AppendAllText(Path.Combine(folder, table), $"| {row} |\n");
    }

    /// <summary>A case that went wrong, at once, so that a long campaign can be watched.</summary>
    public static void Fault(string what)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_CRASH_REPORT") is { Length: > 0 } folder)
            File.AppendAllText(Path.Combine(folder, "faults"), what + "\n");
    }
}
