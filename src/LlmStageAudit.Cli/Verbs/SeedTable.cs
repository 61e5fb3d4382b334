using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>What effects over several seeds say, or that only one seed was asked.</summary>
internal static class SeedTable
{
    /// <summary>Of what an answer holds, for programs.</summary>
    public static string Reach(OverSeeds? over) => over is null ? "in this run" : $"over {over.Seeds} seeds";

    /// <summary>Writes a table of the stages; where no other seed was asked, a sentence that the answer is this run's.</summary>
    public static void Write(VerbContext context, IReadOnlyList<(string Stage, OverSeeds? OverSeeds)> stages)
    {
        if (stages.Count == 0) return;
        if (stages[0].OverSeeds is not { Seeds: var seeds })
        {
            context.Note("All of this holds in this run: another seed may say otherwise, and --seeds N asks.");
            return;
        }

        context.Out.WriteLine($"Over {seeds} seeds (start, order and dropout drawn anew; base and data the same):");
        context.WriteTable(
            stages,
            ("stage", stage => stage.Stage),
            (">mean", stage => Numbers.Signed(stage.OverSeeds!.Mean)),
            (">95% interval", stage => double.IsNaN(stage.OverSeeds!.Low) ? null : Numbers.Interval(stage.OverSeeds.Low, stage.OverSeeds.High)),
            (">luck", stage => $"{100 * stage.OverSeeds!.Luck:0} %"),
            (">adjusted p", stage => stage.OverSeeds!.Significant is Significance.TooFewRows ? null : Numbers.Plain(stage.OverSeeds.AdjustedPValue)),
            ("this data does that", stage => EnumSpelling<Significance>.Of(stage.OverSeeds!.Significant)));
    }
}
