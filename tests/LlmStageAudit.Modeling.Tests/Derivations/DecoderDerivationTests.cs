using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using static LlmStageAudit.Modeling.Tests.Derivations.PlainMath;

namespace LlmStageAudit.Modeling.Tests.Derivations;

/// <summary>
/// The engine against the same models written out here, in float64 and float32; and the written-out models with one detail
/// wrong, which must be told apart in float32 too (the two forms of gelu, the closest of them, differ by 1e-3 here).
/// </summary>
public sealed class DecoderDerivationTests : IDisposable
{
    private const double DoubleTolerance = 1e-9;
    private const double SingleTolerance = 1e-4;
    private static readonly int[][] s_rows = [[4, 8, 15, 16, 23, 2, 29, 5, 1, 17], [3, 27, 9, 12, 6, 3]];
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Cases => [.. DerivationCases.All.Keys];

    public static TheoryData<string, string> Mutations
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var (name, known) in DerivationCases.All)
            {
                foreach (var mutation in known.Mutations.Keys) rows.Add(name, mutation);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_engine_computes_the_published_equations(string name)
    {
        var known = DerivationCases.All[name];
        var (weights, right, left, single) = Engine(known);
        var expected = s_rows.Select(row => known.Logits(weights, row).SelectMany(token => token).ToArray()).ToArray();
        for (var row = 0; row < s_rows.Length; row++)
        {
            Near(expected[row], right[row], DoubleTolerance, "float64");
            // Padding in front moves the row: only distances count.
            Near(expected[row], left[row], DoubleTolerance, "float64, padded in front");
            Near(expected[row], single[row], SingleTolerance, "float32");
        }
    }

    [Theory]
    [MemberData(nameof(Mutations))]
    public void One_wrong_detail_shows(string name, string mutation)
    {
        var known = DerivationCases.All[name];
        var (weights, right, _, _) = Engine(known);
        var wrong = known.Mutations[mutation](weights, s_rows[0]).SelectMany(token => token);
        var distance = wrong.Zip(right[0], (w, r) => Math.Abs(w - r)).Max();
        Assert.True(distance > 5 * SingleTolerance, $"largest difference {distance:g3}");
    }

    [Fact]
    public void Class_logits_are_not_capped()
    {
        using var scope = NewDisposeScope();
        var known = DerivationCases.All["gemma2"];
        var (model, state) = TinyModel.Load(TinyDecoder.Write(_folder, "gemma2"), ModelTask.SequenceClassification, labels: 3);
        using var owned = model;
        using var initial = state;
        var theta = Perturbed(state);
        var weights = ByName(model, theta);
        weights["score.weight"] = [.. weights["score.weight"].Select(w => 20 * w)];
        var parameters = model.Layout.Split(TensorMemory.Of(theta)).Zip(
            model.Layout.Slots, (parameter, slot) => slot.Name == "score.weight" ? parameter.times(20) : parameter).ToArray();
        var found = model.ClassLogits(parameters, TokenBatch.Pad(s_rows, 0)).ToArray<double>();
        var expected = s_rows.SelectMany(row => Linear(weights["score.weight"], known.Decoder!.Hidden(weights, row)[^1])).ToArray();
        Near(expected, found, DoubleTolerance, "class logits");
        Assert.True(expected.Max(Math.Abs) > 5, "large enough for the cap of 5 to show");
    }

    [Theory]
    [InlineData(0.3, 0.328626759459127)]
    [InlineData(1.0, 0.842700792949715)]
    [InlineData(2.5, 0.999593047982555)]
    public void The_error_function_used_here_has_its_tabled_values(double x, double expected)
    {
        Assert.Equal(expected, Erf(x), 13);
        Assert.Equal(-expected, Erf(-x), 13);
    }

    public void Dispose() => _folder.Dispose();

    private (Dictionary<string, double[]> Weights, double[][] Right, double[][] Left, double[][] Single) Engine(DerivationCase known)
    {
        using var scope = NewDisposeScope();
        var path = TinyDecoder.Write(_folder, known.Family, known.Changes);
        var (model, state) = TinyModel.Load(path, ModelTask.CausalLm);
        var (narrow, narrowState) = TinyModel.Load(path, ModelTask.CausalLm, dtype: float32);
        using (model)
        using (state)
        using (narrow)
        using (narrowState)
        {
            var theta = Perturbed(state);
            var (right, left) = (TokenBatch.Pad(s_rows, 0), TokenBatch.Pad(s_rows, 0, padLeft: true));
            return (
                ByName(model, theta),
                Rows(model.TokenLogits(model.Layout.Split(TensorMemory.Of(theta)), right), padLeft: false),
                Rows(model.TokenLogits(model.Layout.Split(TensorMemory.Of(theta)), left), padLeft: true),
                Rows(narrow.TokenLogits(narrow.Layout.Split(TensorMemory.Of(theta).to(float32)), right).to(float64), padLeft: false));
        }
    }

    /// <summary>The random start moved a little, so that norms and biases are not ones and zeros; float32 numbers.</summary>
    private static double[] Perturbed(Tensor state) =>
        [.. state.ToArray<double>().Zip(Vectors.Normal(state.numel(), 12, 0.2), (s, d) => (double)(float)(s + d))];

    private static Dictionary<string, double[]> ByName(LanguageModel model, double[] theta) =>
        model.Layout.Slots.ToDictionary(slot => slot.Name, slot => theta[(int)slot.Offset..(int)(slot.Offset + slot.Length)]);

    /// <summary>Each row's logits without its padding.</summary>
    private static double[][] Rows(Tensor logits, bool padLeft)
    {
        var (values, width, vocabulary) = (logits.ToArray<double>(), (int)logits.size(1), (int)logits.size(2));
        return
        [
            .. s_rows.Select((row, b) =>
            {
                var first = ((b * width) + (padLeft ? width - row.Length : 0)) * vocabulary;
                return values[first..(first + (row.Length * vocabulary))];
            }),
        ];
    }

    private static void Near(double[] expected, double[] found, double tolerance, string what)
    {
        Assert.Equal(expected.Length, found.Length);
        var distance = expected.Zip(found, (e, f) => Math.Abs(e - f)).Max();
        Assert.True(distance <= tolerance, $"{what}: largest difference {distance:g3}");
    }
}
