using System.Globalization;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>Resident memory of this process, mapped pages of files included, as Linux counts it; 0 where the system does not say.</summary>
internal static class ProcessMemory
{
    private const string StatusFile = "/proc/self/status";

    /// <summary>What is resident now.</summary>
    public static long ResidentBytes => Read("VmRSS:");

    /// <summary>The most that was resident since the process began, or since <see cref="RestartPeak"/> where the system lets.</summary>
    public static long PeakBytes => Read("VmHWM:");

    /// <summary>Gives back what earlier work left behind and lets the peak begin anew at what is resident then.</summary>
    public static void RestartPeak()
    {
        TorchEngine.TrimMemory();
        try
        {
            if (File.Exists(StatusFile)) File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The peak then stays that of the whole process.
        }
    }

    private static long Read(string key)
    {
        if (!File.Exists(StatusFile)) return 0;
        var line = File.ReadLines(StatusFile).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line.AsSpan(key.Length).Trim(" \tkB"), CultureInfo.InvariantCulture);
    }
}
