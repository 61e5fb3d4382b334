using System.Diagnostics;
using System.Globalization;

namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>
/// Time that this thread has computed: on a machine that others use, a thread may stand still for seconds and be no slower for it.
/// </summary>
internal static class ThreadClock
{
    private const string Statistics = "/proc/thread-self/stat";
    private const double TicksPerSecond = 100;

    /// <summary>Since some moment in the past; where the system does not tell, the time on the wall.</summary>
    public static TimeSpan Now
    {
        get
        {
            if (!File.Exists(Statistics)) return Stopwatch.GetElapsedTime(0);

            // The name in brackets may hold blanks; behind it follow, from the third field on, user and system time as the 14th and 15th.
            var text = File.ReadAllText(Statistics);
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((Ticks(fields[11]) + Ticks(fields[12])) / TicksPerSecond);
        }
    }

    private static double Ticks(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
