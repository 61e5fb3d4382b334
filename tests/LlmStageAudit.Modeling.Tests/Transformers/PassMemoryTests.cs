using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

/// <summary>
/// A layer lets go of what it made on its way, so that a pass holds one layer's intermediate results and not all layers'.
/// </summary>
public sealed class PassMemoryTests : IDisposable
{
    private static readonly EncodedExample[] s_examples = [new("a", [5, 6, 3, 20, 9, 8], 0, 1, 0), new("b", [9, 4, 7, 2], 1, 1, 1)];
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => [.. TinyDecoder.Families];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_layer_leaves_its_output_alone(string family) =>
        Assert.Equal(2, HeldAfterPass(family, layers: 6) - HeldAfterPass(family, layers: 4));

    public void Dispose() => _folder.Dispose();

    private long HeldAfterPass(string family, int layers)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (model, state) = TinyModel.Load(
            TinyDecoder.Write(_folder, family, $$"""{ "num_hidden_layers": {{layers}} }""", name: $"layers-{layers}"),
            ModelTask.SequenceClassification);
        using (model)
        {
            var parameters = model.Layout.Split(state).ToArray();
            var objective = new TransformerObjective(model, s_examples);
            objective.Logits(parameters, [0, 1]); // makes the tables of angles, which live on
            var before = scope.DisposablesCount;
            objective.Logits(parameters, [0, 1]);
            // Every parameter is there once in the dtype of the pass.
            return scope.DisposablesCount - before - parameters.Length;
        }
    }
}
