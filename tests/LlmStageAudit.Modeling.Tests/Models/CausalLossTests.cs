using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Models;

/// <summary>Which tokens a causal language model is scored on, against a softmax written out here.</summary>
public sealed class CausalLossTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LanguageModel _model;
    private readonly Tensor _state;
    private readonly DisposeScope _scope = NewDisposeScope();

    public CausalLossTests()
    {
        (_model, _state) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.CausalLm);
    }

    [Fact]
    public void Losses_are_sums_over_the_tokens_after_the_prompt()
    {
        EncodedExample[] examples =
        [
            new("all", [4, 8, 15, 16, 23], -1, 1, 0),
            new("completion", [4, 8, 15, 16, 23, 42], -1, 4, 1),
            new("last", [9, 2, 7], -1, 2, 2),
            new("pair", [1, 0], -1, 1, 3), // predicts token 0, which is also the padding token
        ];
        var objective = new TransformerObjective(_model, examples);
        var losses = objective.Losses(_model.Layout.Split(_state), [0, 1, 2, 3]).ToArray<double>();
        Assert.Equal(
            [
                ReferenceLoss(examples[0].Ids, 1),
                ReferenceLoss(examples[1].Ids, 4),
                ReferenceLoss(examples[2].Ids, 2),
                ReferenceLoss(examples[3].Ids, 1),
            ],
            losses,
            (expected, found) => Math.Abs(expected - found) < 1e-10);
        Assert.Equal([4.0, 2, 1, 1], Enumerable.Range(0, 4).Select(objective.Weight));
        Assert.Equal(losses.Sum() / 8, objective.Loss(_state, [0, 1, 2, 3]), 12);
        Assert.Equal(losses.Sum() / 8, objective.LossAndGradient(_state, [0, 1, 2, 3], 1).LossNats, 12);
    }

    [Fact]
    public void Prompt_tokens_bear_on_the_completion()
    {
        var objective = new TransformerObjective(_model, [new("a", [4, 8, 15, 16], -1, 3, 0), new("b", [5, 8, 15, 16], -1, 3, 1)]);
        var losses = objective.Losses(_model.Layout.Split(_state), [0, 1]).ToArray<double>();
        Assert.True(Math.Abs(losses[0] - losses[1]) > 1e-6);
    }

    [Fact]
    public void Padding_on_either_side_leaves_real_positions_alone()
    {
        int[][] rows = [[3, 1, 4, 1, 5], [9, 2, 6]];
        var right = _model.TokenLogits(_model.Layout.Split(_state), TokenBatch.Pad(rows, 0));
        var alone = _model.TokenLogits(_model.Layout.Split(_state), TokenBatch.Pad([rows[1]], 0));
        Vectors.Close(alone.ToArray<double>(), right.narrow(0, 1, 1).narrow(1, 0, 3).contiguous().ToArray<double>(), 1e-13);
        // In front of a row, padding also moves it: rotary attention sees distances only.
        var left = _model.TokenLogits(_model.Layout.Split(_state), TokenBatch.Pad(rows, 0, padLeft: true));
        Vectors.Close(alone.ToArray<double>(), left.narrow(0, 1, 1).narrow(1, 2, 3).contiguous().ToArray<double>(), 1e-12);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _state.Dispose();
        _model.Dispose();
        _folder.Dispose();
    }

    private double ReferenceLoss(int[] ids, int promptTokens)
    {
        var logits = _model.TokenLogits(_model.Layout.Split(_state), TokenBatch.Pad([ids], null)).ToArray<double>();
        var loss = 0.0;
        for (var t = promptTokens; t < ids.Length; t++)
        {
            var row = logits.AsSpan((t - 1) * TinyModel.Vocabulary, TinyModel.Vocabulary).ToArray();
            loss += Math.Log(row.Sum(Math.Exp)) - row[ids[t]];
        }

        return loss;
    }
}
