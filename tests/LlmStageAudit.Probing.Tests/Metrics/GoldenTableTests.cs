using System.Text.Json;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Probing.Tests.Metrics;

/// <summary>
/// Our metrics against scikit-learn, fairlearn and the formulas of Borkan et al. and WILDS, on tables with ties, one class, empty and whole
/// groups, cells that nobody annotated, and 0, 1, 2 and 5 rows.
/// </summary>
public sealed class GoldenTableTests
{
    [SharedFact("goldens/metrics/tables.json")]
    public void Metrics_are_those_of_other_libraries()
    {
        using var tables = JsonDocument.Parse(File.ReadAllText(SharedData.At("goldens/metrics/tables.json")));
        var compared = 0;
        foreach (var table in tables.RootElement.GetProperty("cases").EnumerateArray())
        {
            // What we measure has no weights.
            if (table.GetProperty("weights").ValueKind != JsonValueKind.Null) continue;
            var expected = table.GetProperty("expected");
            var threshold = table.GetProperty("threshold").GetDouble();
            // The decision is at 0 here and at a threshold there; the order stays.
            ScoredExample[] rows = [.. Doubles(table, "scores").Zip(Doubles(table, "labels"), (score, label) =>
                new ScoredExample(score >= threshold ? 1 + score : score - threshold, label == 1))];
            var metrics = BinaryMetrics.Of(rows);
            Same(expected, "roc_auc", metrics[MetricNames.Auc]);
            var overall = expected.GetProperty("overall");
            Same(overall, "accuracy", metrics[MetricNames.Accuracy]);
            Same(overall, "fpr", metrics[MetricNames.FalsePositiveRate]);
            Same(overall, "fnr", metrics[MetricNames.FalseNegativeRate]);

            var (groups, cells) = (new List<Dictionary<string, double>>(), new List<ScoredExample[]>());
            foreach (var group in table.GetProperty("groups").EnumerateObject())
            {
                var members = group.Value.EnumerateArray().Select(cell => cell.ValueKind == JsonValueKind.Number && cell.GetDouble() == 1).ToArray();
                ScoredExample[] subgroup = [.. rows.Where((_, i) => members[i])];
                var of = BinaryMetrics.OfGroup(subgroup, [.. rows.Where((_, i) => !members[i])]);
                groups.Add(of);
                cells.Add(subgroup);
                var borkan = expected.GetProperty("borkan").GetProperty(group.Name);
                Same(borkan, "subgroup_auc", of[MetricNames.SubgroupAuc]);
                Same(borkan, "bpsn_auc", of[MetricNames.BpsnAuc]);
                Same(borkan, "bnsp_auc", of[MetricNames.BnspAuc]);
                var rates = expected.GetProperty("by_group").GetProperty(group.Name);
                Same(rates, "accuracy", of[MetricNames.Accuracy]);
                Same(rates, "fpr", of[MetricNames.FalsePositiveRate]);
                Same(rates, "fnr", of[MetricNames.FalseNegativeRate]);
                compared += 6;
            }

            Same(expected, "final_score_w_.25", BinaryMetrics.FinalScore(metrics[MetricNames.Auc], groups));
            Same(expected, "wilds_worst_group_accuracy", BinaryMetrics.WorstGroupAccuracy(cells));

            void Same(JsonElement golden, string name, double found)
            {
                var of = golden.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
                Assert.True(
                    double.IsNaN(of) ? double.IsNaN(found) : Math.Abs(of - found) <= 1e-12,
                    $"{table.GetProperty("name")}: {name} is {found}, expected {of}");
            }
        }

        Assert.True(compared > 100, $"{compared} group metrics");
    }

    private static IEnumerable<double> Doubles(JsonElement table, string name) =>
        table.GetProperty(name).EnumerateArray().Select(value => value.GetDouble());
}
