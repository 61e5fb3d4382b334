using System.Globalization;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Objectives;

namespace LlmStageAudit.Modeling.Adapters;

/// <summary>
/// Dropout on the input of LoRA pairs: each element is zeroed with probability p, the others are scaled by 1 / (1 - p). A mask
/// is a function of step, module, example and position alone, so it does not depend on padding or on the other examples of
/// a forward pass.
/// </summary>
/// <param name="probability">p, in (0, 1).</param>
/// <param name="noise">The training step.</param>
/// <param name="examples">The example number and the tokens of each row.</param>
/// <param name="width">T, the padded length.</param>
internal sealed class LoraDropout(double probability, StepNoise noise, IReadOnlyList<(int Example, int Tokens)> examples, int width)
{
    /// <summary>A layer's input [B, T, in] with its masks laid on; [R, B, T, in], where the masks of B rows act R times.</summary>
    public Tensor Apply(string module, Tensor x)
    {
        var features = (int)x.size(-1);
        var kept = (float)(1 / (1 - probability));
        var mask = new float[examples.Count * width * features];
        for (var row = 0; row < examples.Count; row++)
        {
            var random = StableRandom.For(noise.Seed, "dropout", noise.Stage, Spell(noise.StageStep), module, Spell(examples[row].Example));
            var values = mask.AsSpan(row * width * features, examples[row].Tokens * features);
            for (var i = 0; i < values.Length; i++) values[i] = random.NextDouble() < probability ? 0 : kept;
        }

        return x * TensorMemory.Of(mask, [examples.Count, width, features]).to(x.dtype).to(x.device);
    }

    private static string Spell(int value) => value.ToString(CultureInfo.InvariantCulture);
}
