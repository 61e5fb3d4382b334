using System.Text.Json;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Probing.Tests.Statistics;

public sealed class FalseDiscoveryTests
{
    [Fact]
    public void Adjusted_p_values_worked_out_by_hand()
    {
        // Sorted .005 .01 .03 .04 times 4/1, 4/2, 4/3, 4/4 = .02 .02 .04 .04.
        Close([0.02, 0.04, 0.04, 0.02], FalseDiscovery.Adjust([0.01, 0.04, 0.03, 0.005]));
        // .04 * 3, .045 * 3/2, .05: the least from above counts for all below.
        Close([0.05, 0.05, 0.05], FalseDiscovery.Adjust([0.04, 0.045, 0.05]));
        Close([0.03, 1, 0.75], FalseDiscovery.Adjust([0.01, 1, 0.5]));
    }

    [Fact]
    public void The_first_example_of_Benjamini_and_Hochberg_rejects_its_first_four()
    {
        double[] values =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000];
        Assert.Equal([0, 1, 2, 3], FalseDiscovery.Adjust(values).Index().Where(pair => pair.Item <= 0.05).Select(pair => pair.Index));
    }

    [Fact]
    public void A_single_value_stays_and_none_give_none()
    {
        Assert.Equal([0.2], FalseDiscovery.Adjust([0.2]));
        Assert.Empty(FalseDiscovery.Adjust([]));
    }

    [SharedFact("goldens/metrics/multiplicity.json")]
    public void Adjusted_p_values_equal_the_reference()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(SharedData.At("goldens/metrics/multiplicity.json")));
        foreach (var @case in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            double[] Values(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetDouble())];
            Close(Values(@case.GetProperty("expected").GetProperty("benjamini_hochberg")), FalseDiscovery.Adjust(Values(@case.GetProperty("p"))));
        }
    }

    private static void Close(double[] expected, double[] found) => Assert.Equal(expected, found, (a, b) => Math.Abs(a - b) < 1e-15);
}
