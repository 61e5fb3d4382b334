using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

/// <summary>The embedding row of the padding token takes no gradient from its use as an input, in the families that say so.</summary>
public sealed class PaddingRowTests : IDisposable
{
    private const int Pad = 7;
    private const string Embedding = "model.embed_tokens.weight";

    // The padding token inside a row, as where the end-of-text token serves as one.
    private static readonly EncodedExample[] s_examples = [new("a", [5, Pad, 3, 20, Pad, 8], 0, 1, 0), new("b", [9, 4, Pad, 2], 0, 1, 1)];
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void An_untied_row_is_left_alone_where_its_slope_is_not_zero()
    {
        var (model, state, gradients) = Gradients("llama", $$"""{ "pad_token_id": {{Pad}} }""");
        Assert.Equal(0, gradients[Embedding].narrow(0, Pad, 1).norm().ToNumber());
        Assert.NotEqual(0, gradients[Embedding].narrow(0, 5, 1).norm().ToNumber());
        var offset = (int)model.Layout.Slots.Single(slot => slot.Name == Embedding).Offset + (Pad * TinyDecoder.Hidden);
        Assert.True(Math.Abs(Loss(model, state, offset, 1e-3) - Loss(model, state, offset, -1e-3)) > 1e-7);
    }

    [Fact]
    public void Without_a_padding_token_every_row_has_its_gradient()
    {
        var (_, _, gradients) = Gradients("llama", """{ "pad_token_id": null }""");
        Assert.NotEqual(0, gradients[Embedding].narrow(0, Pad, 1).norm().ToNumber());
        Assert.Equal(0, gradients[Embedding].narrow(0, 0, 1).norm().ToNumber());
        var (_, _, neoX) = Gradients("gpt_neox", $$"""{ "pad_token_id": {{Pad}} }""");
        Assert.NotEqual(0, neoX["gpt_neox.embed_in.weight"].narrow(0, Pad, 1).norm().ToNumber());
    }

    [Theory]
    [InlineData("gemma")]
    [InlineData("gemma2")]
    [InlineData("gemma3_text")]
    [InlineData("llama")]
    public void A_tied_row_keeps_what_it_gets_as_part_of_the_head(string family)
    {
        var (_, _, tied) = Gradients(family, $$"""{ "pad_token_id": {{Pad}}, "tie_word_embeddings": true }""");
        var (_, _, untied) = Gradients(family, $$"""{ "pad_token_id": {{Pad}}, "tie_word_embeddings": false }""", tieByHand: true);
        Assert.False(tied.ContainsKey("lm_head.weight"));
        var (inputs, head) = (untied[Embedding], untied["lm_head.weight"]);
        Vectors.Close((inputs + head).contiguous().ToArray<double>(), tied[Embedding].contiguous().ToArray<double>(), 1e-12);
        Vectors.Close(
            head.narrow(0, Pad, 1).contiguous().ToArray<double>(), tied[Embedding].narrow(0, Pad, 1).contiguous().ToArray<double>(), 1e-12);
        Assert.NotEqual(0, tied[Embedding].narrow(0, Pad, 1).norm().ToNumber());
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private (LanguageModel Model, double[] State, Dictionary<string, Tensor> Gradients) Gradients(
        string family, string changes, bool tieByHand = false)
    {
        var (model, state) = TinyModel.Load(TinyDecoder.Write(_folder, family, changes), ModelTask.CausalLm);
        using var owned = model;
        using var initial = state;
        var theta = state.ToArray<double>();
        if (tieByHand)
        {
            var from = model.Layout.Slots.Single(slot => slot.Name == Embedding);
            var to = model.Layout.Slots.Single(slot => slot.Name == "lm_head.weight");
            theta.AsSpan((int)from.Offset, (int)from.Length).CopyTo(theta.AsSpan((int)to.Offset));
        }

        var (_, gradient) = new TransformerObjective(model, s_examples).LossAndGradient(TensorMemory.Of(theta), [0, 1]);
        var views = model.Layout.Split(gradient);
        return (model, theta, model.Layout.Slots.Select((slot, i) => (slot.Name, views[i])).ToDictionary());
    }

    /// <summary>The loss with one element moved.</summary>
    private double Loss(LanguageModel model, double[] state, int element, double move)
    {
        var (again, initial) = TinyModel.Load(model.Folder.Path, ModelTask.CausalLm);
        using var owned = again;
        using var unused = initial;
        var moved = state.ToArray();
        moved[element] += move;
        return new TransformerObjective(again, s_examples).Loss(TensorMemory.Of(moved), [0, 1]);
    }
}
