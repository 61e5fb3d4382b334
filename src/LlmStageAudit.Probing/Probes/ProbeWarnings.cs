using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Probing.Probes;

/// <summary>What a person would raise a hand at in a probe.</summary>
internal static class ProbeWarnings
{
    /// <summary>Rates and AUCs of fewer rows are hardly more than luck.</summary>
    private const int SmallGroup = 20;

    public static IEnumerable<Warning> Of(
        ProbeConfiguration probe, ExampleSet set, IReadOnlyList<ProbeGroup> groups, LanguageModel model,
        IReadOnlyList<ExampleSet> trainedOn)
    {
        var where = $"probe '{probe.Name}'";
        int? classes = model.Task == ModelTask.SequenceClassification ? model.Labels : null;
        foreach (var warning in ExampleWarnings.Of(where, probe.Dataset, set, classes)) yield return warning;
        foreach (var group in groups)
        {
            var members = group.Subgroup.Count();
            if (members < SmallGroup)
            {
                yield return new Warning(
                    "small-group",
                    $"{where}: group '{group.Name}' has {members} rows; figures of fewer than {SmallGroup} are hardly more than luck");
            }
        }

        var tokens = trainedOn.SelectMany(trained => trained.Examples).Select(example => example.TokenHash).ToHashSet();
        var shared = set.Examples.Count(example => tokens.Contains(example.TokenHash));
        if (shared > 0)
        {
            yield return new Warning(
                "probe-trained-on", $"{where}: {shared} of {set.Examples.Count} rows have the tokens of a row that the model was trained on");
        }
    }
}
