using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Testing;

/// <summary>torch.optim.SGD and AdamW written out over arrays of doubles, one coordinate at a time.</summary>
public sealed class PlainOptimizer(OptimizerSection section, double[] theta)
{
    private readonly double[] _first = new double[theta.Length];
    private readonly double[] _second = new double[theta.Length];
    private int _k;

    public double[] Theta { get; } = [.. theta];

    public IReadOnlyList<double[]> Buffers => section.Name == OptimizerName.Sgd ? [_first] : [_first, _second];

    /// <param name="gradient">Raw: clipped here.</param>
    public void Step(double[] gradient, double learningRate)
    {
        _k++;
        var length = Math.Sqrt(gradient.Sum(g => g * g));
        var factor = section.ClipNorm is { } limit && limit / (length + 1e-6) < 1 ? limit / (length + 1e-6) : 1;
        for (var i = 0; i < Theta.Length; i++)
        {
            var g = gradient[i] * factor;
            if (section.Name == OptimizerName.Sgd)
            {
                _first[i] = (section.Momentum * _first[i]) + g + (section.WeightDecay * Theta[i]);
                Theta[i] -= learningRate * _first[i];
                continue;
            }

            _first[i] = (section.Beta1 * _first[i]) + ((1 - section.Beta1) * g);
            _second[i] = (section.Beta2 * _second[i]) + ((1 - section.Beta2) * g * g);
            var mean = _first[i] / (1 - Math.Pow(section.Beta1, _k));
            var square = _second[i] / (1 - Math.Pow(section.Beta2, _k));
            Theta[i] -= learningRate * section.WeightDecay * Theta[i];
            Theta[i] -= learningRate * mean / (Math.Sqrt(square) + section.Epsilon);
        }
    }
}
