using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Why effects have their grades of trust, and what would settle the low ones, as notes under a table.</summary>
internal static class TrustNotes
{
    /// <summary>Names said where many have the same grade for the same reason.</summary>
    private const int ShownNames = 3;

    private const int ShownSettlements = 3;

    /// <summary>Writes the notes, from each effect's name, size and grade.</summary>
    public static void Write(
        VerbContext context, IReadOnlyList<(string Name, double Size, TrustGrade? Trust, TrustEvidence? Evidence)> graded)
    {
        foreach (var alike in graded.Where(one => one.Evidence is not null).GroupBy(one => (one.Trust, one.Evidence!.Reason)))
        {
            var names = alike.Count() == graded.Count
                ? "all"
                : string.Join(", ", alike.Take(ShownNames).Select(one => one.Name)) + (alike.Count() > ShownNames ? ", ..." : "");
            var grade = EnumSpelling<TrustGrade>.Of(alike.Key.Trust ?? TrustGrade.Unknown);
            context.Note($"{names}: trust {grade}; {alike.Key.Reason}");
        }

        var open = graded.Where(one => one.Evidence is { Settle: not null })
            .OrderByDescending(one => double.IsNaN(one.Size) ? double.PositiveInfinity : Math.Abs(one.Size)).ToArray();
        foreach (var one in open.Take(ShownSettlements))
            context.Note($"to settle {one.Name} ({one.Evidence!.SettleGradientEquivalents:0} gradients): {one.Evidence.Settle}");
        if (open.Length > ShownSettlements)
            context.Note(
                $"and {open.Length - ShownSettlements} more, with smaller effects; --json names what would settle each");
    }
}
