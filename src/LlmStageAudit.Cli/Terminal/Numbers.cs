using System.Globalization;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Numbers for people: four significant digits, signs where the sign is the message.</summary>
internal static class Numbers
{
    public static string Plain(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    public static string Signed(double value) => value.ToString("+0.0000;-0.0000;0.0000", CultureInfo.InvariantCulture);

    public static string Interval(double low, double high) => $"{Signed(low)} .. {Signed(high)}";

    public static string Seconds(double seconds) => seconds.ToString(seconds < 10 ? "0.00 s" : "0.0 s", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} B",
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
    };
}
