using System.Text.Json;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Probing.Tests.Statistics;

public sealed class PermutationTests
{
    [SharedFact("goldens/metrics/permutation.json")]
    public void P_values_equal_the_enumerated_ones_of_the_reference()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(SharedData.At("goldens/metrics/permutation.json")));
        var kinds = new HashSet<string>();
        foreach (var @case in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            kinds.Add(@case.GetProperty("kind").GetString()!);
            var found = @case.TryGetProperty("differences", out var differences)
                ? Permutation.SignFlips(Numbers(differences), "k")
                : Permutation.TwoGroups([(1, Numbers(@case.GetProperty("a")), Numbers(@case.GetProperty("b")))], "k");
            var expected = @case.GetProperty("expected");
            Assert.Equal(expected.GetProperty("statistic").GetDouble(), found.Statistic, 1e-12);
            Assert.Equal(expected.GetProperty("permutations").GetInt64(), found.Relabellings);
            Assert.Equal(expected.GetProperty("p_two_sided").GetDouble(), found.TwoSided, 1e-12);
            Assert.Equal(expected.GetProperty("p_greater").GetDouble(), found.Greater, 1e-12);
            Assert.Equal(expected.GetProperty("p_less").GetDouble(), found.Less, 1e-12);
        }

        Assert.Equal(2, kinds.Count);
    }

    [Fact]
    public void Strata_are_exchanged_within_themselves_and_all_combinations_counted()
    {
        // 3 ways in one stratum and 6 in the other; only the observed one of each is as far out, and its mirror where there is one.
        var found = Permutation.TwoGroups([(0.5, [10], [0, 0.1]), (0.5, [10, 10.1], [0, 0.1])], "k");
        Assert.Equal(18, found.Relabellings);
        Assert.Equal(1.0 / 18, found.Greater, 1e-12);
        Assert.Equal(10, found.Statistic, 0.1);
    }

    [Fact]
    public void Swapping_group_and_rest_turns_the_sign_and_nothing_else()
    {
        var (few, many) = (Vectors.Normal(3, 1), Vectors.Normal(9, 2));
        var (one, other) = (Permutation.TwoGroups([(1, few, many)], "k"), Permutation.TwoGroups([(1, many, few)], "k"));
        Assert.Equal(one.Statistic, -other.Statistic, 1e-12);
        Assert.Equal((one.TwoSided, one.Greater, one.Less), (other.TwoSided, other.Less, other.Greater));
    }

    [Fact]
    public void A_sample_of_relabellings_agrees_with_all_of_them_and_never_gives_zero()
    {
        // 12 over 6 is 924 and 20 over 10 is 184,756: the first is exact, the second sampled.
        double[] Shifted(int count, int seed, double by) => [.. Vectors.Normal(count, seed).Select(value => value + by)];
        var clear = Permutation.TwoGroups([(1, Shifted(10, 1, 9), Shifted(10, 2, 0))], "k");
        Assert.Equal((10_000, 1.0 / 10_000), (clear.Relabellings, clear.Greater));
        var exact = Permutation.SignFlips(Shifted(14, 3, 0.4), "k");
        Assert.Equal(1 << 14, exact.Relabellings);
        var sampled = Permutation.SignFlips([.. Shifted(14, 3, 0.4), 0, 0], "k");
        Assert.Equal(10_000, sampled.Relabellings);
        Assert.Equal(exact.TwoSided, sampled.TwoSided, 0.02);
        Assert.Equal(sampled, Permutation.SignFlips([.. Shifted(14, 3, 0.4), 0, 0], "k"));
    }

    [Theory]
    [InlineData(5, 20)]
    [InlineData(20, 180)]
    public void Under_chance_p_values_are_no_smaller_than_they_say(int group, int others)
    {
        var small = Enumerable.Range(0, 200).Count(seed =>
        {
            // Heavy tails, where a test by the normal distribution would err.
            var random = StableRandom.For(seed, "heavy");
            double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Pow(random.NextNormal(), 3))];
            return Permutation.TwoGroups([(0.5, Draw(group), Draw(others)), (0.5, Draw(group), Draw(others))], $"{seed}").TwoSided <= 0.1;
        });
        Assert.InRange(small, 8, 34); // a tenth of 200 is 20
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetDouble())];
}
