using LlmStageAudit.Probing.Metrics;

namespace LlmStageAudit.Probing.Tests;

/// <summary>
/// Eight examples with two groups, small enough to work every metric out by hand.
/// <code>
/// example   0    1    2    3    4    5    6    7
/// score     2   -1   .5   -2    3    1  -.5   .8
/// label     1    1    0    0    1    1    0    0
/// first     x    x    x    x
/// second    x         x              x    x
/// </code>
/// </summary>
internal static class HandTable
{
    public static double[] Scores { get; } = [2, -1, 0.5, -2, 3, 1, -0.5, 0.8];

    public static int[] Labels { get; } = [1, 1, 0, 0, 1, 1, 0, 0];

    public static int[] First { get; } = [0, 1, 2, 3];

    public static int[] Second { get; } = [0, 2, 5, 6];

    public static ScoredExample[] All { get; } = [.. Scores.Zip(Labels, (score, label) => new ScoredExample(score, label == 1))];

    public static ScoredExample[] In(int[] group) => [.. group.Select(i => All[i])];

    public static ScoredExample[] OutOf(int[] group) => [.. Enumerable.Range(0, 8).Except(group).Select(i => All[i])];
}
