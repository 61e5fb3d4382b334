using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Testing;

/// <summary>
/// A small smooth objective in float64 with everything known: example i is a direction a_i and a target b_i, its loss
/// <code>0.5 (a_i . theta - b_i)^2 + cubic (a_i . theta)^3 / 6</code>
/// so that with cubic = 0 the loss is exactly quadratic.
/// </summary>
public sealed class PolynomialObjective(double[][] directions, double[] targets, double cubic = 0) : IObjective
{
    private readonly int _size = directions[0].Length;

    public ParameterLayout Layout { get; } =
        new([("first.weight", (IReadOnlyList<long>)[1L]), ("rest.weight", [directions[0].Length - 1L])]);

    public ScalarType Dtype => float64;

    public Device Device => CPU;

    public int ExampleCount => directions.Length;

    public static PolynomialObjective Random(int examples, int parameters, long seed, double cubic = 0)
    {
        var random = Foundation.Randomness.StableRandom.For(seed, "objective");
        double[] Normals(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextNormal())];
        return new PolynomialObjective([.. Enumerable.Range(0, examples).Select(_ => Normals(parameters))], Normals(examples), cubic);
    }

    public double Weight(int example) => 1;

    public Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> batch, StepNoise? noise = null)
    {
        var theta = cat([.. parameters]);
        var rows = TensorMemory.Of([.. batch.SelectMany(i => directions[i])], [batch.Count, _size]);
        var projected = matmul(rows, theta);
        var residual = projected - TensorMemory.Of([.. batch.Select(i => targets[i])]);
        return (residual * residual).times(0.5).plus((projected * projected * projected).times(cubic / 6));
    }
}
