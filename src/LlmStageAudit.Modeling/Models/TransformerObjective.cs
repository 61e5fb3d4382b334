using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Modeling.Parameters;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// A language model on a list of examples, as an objective. Classification: cross-entropy of the label. Causal language
/// model: negative log-likelihood summed over the predicted tokens after the prompt, each token counting one.
/// </summary>
public sealed class TransformerObjective(LanguageModel model, IReadOnlyList<EncodedExample> examples) : IVariantObjective
{
    /// <summary>
    /// Tokens times features in a pass beyond which the CPU gains nothing from more, as measured at 128 and 512 hidden dimensions:
    /// products are efficient by then, and larger intermediate results leave the caches.
    /// </summary>
    private const long ElementsThatPayOnCpu = 1 << 17;

    /// <summary>The same for other devices, where it bounds memory: 64 MiB for a float32 tensor of the widest layer.</summary>
    private const long ElementsThatPayElsewhere = 1 << 24;

    /// <inheritdoc/>
    public ParameterLayout Layout => model.Layout;

    /// <inheritdoc/>
    public ScalarType Dtype => model.Dtype;

    /// <inheritdoc/>
    public Device Device => model.Device;

    /// <inheritdoc/>
    public int ExampleCount => examples.Count;

    /// <inheritdoc/>
    public bool SharesBase => model.SharesBase;

    /// <inheritdoc/>
    public int VariantsThatPay(IReadOnlyList<int> batch, int? microBatchSize, int derivative)
    {
        if (!SharesBase || batch.Count == 0) return 1;
        var tokens = (long)Math.Min(batch.Count, microBatchSize ?? batch.Count) * batch.Max(i => examples[i].Ids.Length);
        var features = model.Task == ModelTask.CausalLm ? Math.Max(model.HiddenSize, model.VocabularySize) : model.HiddenSize;
        var limit = (Device.type == DeviceType.CPU ? ElementsThatPayOnCpu : ElementsThatPayElsewhere) / derivative;
        return (int)Math.Clamp(limit / (tokens * features), 1, int.MaxValue);
    }

    /// <inheritdoc/>
    public double Weight(int example) =>
        model.Task == ModelTask.CausalLm ? examples[example].Ids.Length - examples[example].PromptTokens : 1;

    /// <inheritdoc/>
    public Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> batch, StepNoise? noise = null)
    {
        var tokens = Pad(batch);
        var dropout = Dropout(batch, tokens, noise);
        return model.Task == ModelTask.CausalLm
            ? TokenLosses(model.TokenLogits(parameters, tokens, dropout), batch, tokens)
            : ClassLosses(model.ClassLogits(parameters, tokens, dropout), batch);
    }

    /// <inheritdoc/>
    public Tensor VariantLosses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> batch, StepNoise? noise = null)
    {
        var count = (int)parameters[0].size(0);
        var tokens = Pad(batch);
        var logits = model.VariantLogits(parameters, tokens, Dropout(batch, tokens, noise));
        int[] rows = [.. Enumerable.Repeat(batch, count).SelectMany(copy => copy)];
        var losses = model.Task == ModelTask.CausalLm ? TokenLosses(logits, rows, tokens.Repeat(count)) : ClassLosses(logits, rows);
        return losses.view(count, batch.Count);
    }

    /// <summary>Class logits [B, C], without dropout.</summary>
    public Tensor Logits(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> batch) => model.ClassLogits(parameters, Pad(batch));

    /// <summary>Cross-entropies [B], in nats, of logits [B, C] whose rows are these examples'.</summary>
    private Tensor ClassLosses(Tensor logits, IReadOnlyList<int> batch)
    {
        var labels = TensorMemory.Of([.. batch.Select(i => (long)examples[i].Label)], [batch.Count, 1], Device);
        return -logits.log_softmax(-1).gather(1, labels).squeeze(1);
    }

    /// <summary>Negative log-likelihoods [B], in nats, each summed over its row's scored tokens, of logits [B, T, V].</summary>
    private Tensor TokenLosses(Tensor all, IReadOnlyList<int> batch, TokenBatch tokens)
    {
        var (rows, predicted) = (tokens.Rows, tokens.Width - 1);
        var logits = all.narrow(1, 0, predicted); // the last position predicts nothing
        var targets = new long[rows * predicted];
        var scored = new bool[rows * predicted];
        for (var i = 0; i < rows; i++)
        {
            var example = examples[batch[i]];
            for (var t = 0; t < predicted; t++)
            {
                targets[(i * predicted) + t] = tokens.Ids[(i * tokens.Width) + t + 1];
                scored[(i * predicted) + t] = t + 1 >= example.PromptTokens && t + 1 < example.Ids.Length;
            }
        }

        var likelihoods = logits.gather(2, TensorMemory.Of(targets, [rows, predicted, 1], Device)).squeeze(2) - logits.logsumexp(-1);
        return -(likelihoods * TensorMemory.Of(scored, [rows, predicted], Device).to(Dtype)).sum(1L);
    }

    private LoraDropout? Dropout(IReadOnlyList<int> batch, TokenBatch tokens, StepNoise? noise) =>
        noise is { } step && model.Adapter is { Dropout: > 0 } adapter
            ? new LoraDropout(adapter.Dropout, step, [.. batch.Select(i => (i, examples[i].Ids.Length))], tokens.Width)
            : null;

    private TokenBatch Pad(IReadOnlyList<int> batch) => TokenBatch.Pad([.. batch.Select(i => examples[i].Ids)], model.PadTokenId);
}
