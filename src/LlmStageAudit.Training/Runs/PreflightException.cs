using System.Globalization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Training.Runs;

/// <summary>Work that this machine cannot hold, refused before anything is written.</summary>
internal sealed class PreflightException : AuditException
{
    private PreflightException(string message)
        : base(message)
    {
    }

    public override ErrorKind Kind => ErrorKind.Request;

    internal static PreflightException TooLittleDisk(string where, string what, long neededBytes, long gradientBytes, long freeBytes)
    {
        var without = gradientBytes > neededBytes / 2
            ? $", leave gradients out of the log ({Shown(neededBytes - gradientBytes)} then): {Setting.Override} trajectory.gradients=false"
            : "";
        return new(Sentence(
            where,
            $"{what} will write {Shown(neededBytes)}; {Shown(freeBytes)} are free there",
            "room for all of it",
            $"make room, choose another place{without}; or start nevertheless by {Setting.ForcedStart}"));
    }

    internal static PreflightException TooLittleMemory(string where, string what, long neededBytes, long availableBytes) =>
        new(Sentence(
            where,
            $"{what} takes at least {Shown(neededBytes)} of memory; {Shown(availableBytes)} are available",
            "as much as the weights and the optimizer's state alone need",
            "free memory, train an adapter instead of all weights, or set model.dtype=bfloat16; "
                + $"or start nevertheless by {Setting.ForcedStart}"));

    private static string Shown(long bytes) => bytes switch
    {
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
    };
}
