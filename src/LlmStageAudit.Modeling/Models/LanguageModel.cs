using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Parameters;
using LlmStageAudit.Modeling.Transformers;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// A transformer with its frozen base and the layout of what trains on it: LoRA pairs and a saved head, or every weight.
/// Made by <see cref="LanguageModelLoader"/>; owns the frozen tensors and the open model folder.
/// </summary>
public sealed class LanguageModel : IDisposable
{
    private readonly Transformer _transformer;
    private readonly IReadOnlyDictionary<string, Tensor> _frozen;
    private readonly LoraPlacement? _placement;
    private readonly ScalarType _computeDtype;

    internal LanguageModel(
        Transformer transformer,
        ModelFolder folder,
        LanguageModelOptions options,
        IReadOnlyDictionary<string, Tensor> frozen,
        LoraPlacement? placement,
        ParameterLayout layout,
        string headName,
        IReadOnlyList<Warning> warnings)
    {
        (_transformer, _frozen, _placement) = (transformer, frozen, placement);
        (Folder, Layout, HeadName, Warnings) = (folder, layout, headName, warnings);
        (Task, Labels, Dtype, Device) = (options.Task, options.Labels, options.Dtype, options.Device ?? CPU);
        _computeDtype = options.ComputeDtype ?? options.Dtype;
    }

    /// <summary>The base model's files; open until the model is disposed.</summary>
    public ModelFolder Folder { get; }

    /// <summary>Whether the head gives classes or next tokens.</summary>
    public ModelTask Task { get; }

    /// <summary>C, the classes of the head; means nothing for a causal language model.</summary>
    public int Labels { get; }

    /// <summary>Of the trainable state; logits are made in it too.</summary>
    public ScalarType Dtype { get; }

    /// <summary>Where the base lies and passes run; states are to be there too.</summary>
    public Device Device { get; }

    /// <summary>The trainable parameters.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>Whether variants of the parameters have a frozen base in common; false in full training.</summary>
    public bool SharesBase => _placement is not null;

    /// <summary>The adapter's settings; null in full training.</summary>
    public LoraConfig? Adapter => _placement?.Config;

    /// <summary>The second name of an adapter's tensor in its file; null where none has two.</summary>
    internal (string Key, string Of)? Twin => _placement?.Twin;

    /// <summary>The weight the final hidden states are multiplied with: a language-model or a classification head.</summary>
    internal string HeadName { get; }

    /// <summary>H, features of a hidden state.</summary>
    public int HiddenSize => _transformer.Config.HiddenSize;

    internal int MaxPositions => _transformer.Config.MaxPositions;

    /// <summary>V, rows of the token embedding.</summary>
    public int VocabularySize => _transformer.Config.VocabularySize;

    internal int? PadTokenId => _transformer.Config.PadTokenId;

    /// <summary>The class name a saved whole model carries in config.json.</summary>
    public string Architecture =>
        Task == ModelTask.CausalLm ? _transformer.Names.CausalClass : _transformer.Names.ClassifierClass;

    /// <summary>What a user should know of the loading: tensors passed over, a head that started at random.</summary>
    public IReadOnlyList<Warning> Warnings { get; }

    /// <summary>What drawing weights from the seed took of the loading.</summary>
    public double RandomSeconds { get; internal init; }

    /// <summary>Class logits [B, C] read at the rightmost token that is not padding.</summary>
    internal Tensor ClassLogits(IReadOnlyList<Tensor> parameters, TokenBatch batch, LoraDropout? dropout = null) =>
        ClassLogits(WeightsOf(parameters, dropout), batch);

    /// <summary>Next-token logits [B, T, V], without dropout.</summary>
    /// <param name="parameters">One tensor per slot of the layout.</param>
    /// <param name="batch">B rows of T tokens.</param>
    public Tensor TokenLogits(IReadOnlyList<Tensor> parameters, TokenBatch batch) => TokenLogits(parameters, batch, dropout: null);

    /// <summary>Next-token logits [B, T, V].</summary>
    internal Tensor TokenLogits(IReadOnlyList<Tensor> parameters, TokenBatch batch, LoraDropout? dropout) =>
        TokenLogits(WeightsOf(parameters, dropout), batch);

    /// <summary>
    /// Logits of R variants of the parameters, class logits [R B, C] or next-token logits [R B, T, V] as the task asks, the
    /// variants behind one another; the frozen base's products are made for all of them at once. Parameters have a leading
    /// dimension R; the dropout of the B rows is the same for every variant.
    /// </summary>
    /// <exception cref="InvalidOperationException">Every weight trains, so there is no base.</exception>
    internal Tensor VariantLogits(IReadOnlyList<Tensor> parameters, TokenBatch batch, LoraDropout? dropout = null)
    {
        if (!SharesBase) throw new InvalidOperationException("every weight trains: variants have no base in common");
        var count = parameters[0].size(0);
        var (weights, rows) = (WeightsOf(parameters, dropout, count), batch.Repeat((int)count));
        return Task == ModelTask.CausalLm ? TokenLogits(weights, rows) : ClassLogits(weights, rows);
    }

    /// <summary>Every weight with the adapter of a state [N] folded in, by its name on disk: the model as one without adapter.</summary>
    internal IEnumerable<(string Name, Tensor Weight)> MergedWeights(Tensor theta)
    {
        var weights = WeightsOf(Layout.Split(theta), dropout: null);
        return _transformer.Trunk.Select(slot => slot.Name).Append(HeadName).Distinct().Select(name => (name, weights.Merged(name)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in _frozen.Values) weight.Dispose();
        _transformer.Dispose();
        Folder.Dispose();
    }

    private Tensor ClassLogits(ForwardWeights weights, TokenBatch batch)
    {
        var hidden = HiddenStates(weights, batch);
        var rows = batch.PooledPositions(PadTokenId).Select((position, row) => (row * (long)batch.Width) + position).ToArray();
        var pooled = hidden.reshape(-1, _transformer.Config.HiddenSize).index_select(0, TensorMemory.Of(rows, Device));
        return weights.Project(HeadName, pooled.to(Dtype));
    }

    private Tensor TokenLogits(ForwardWeights weights, TokenBatch batch) =>
        _transformer.TokenLogits(weights, HeadName, HiddenStates(weights, batch).to(_computeDtype)).to(Dtype);

    private Tensor HiddenStates(ForwardWeights weights, TokenBatch batch)
    {
        var ids = TensorMemory.Of(batch.Ids, [batch.Rows, batch.Width], Device);
        var mask = batch.PaddedOnTheRight
            ? AttentionMask.Causal(batch.Width, _computeDtype, Device)
            : AttentionMask.CausalWithPadding(TensorMemory.Of(batch.Real(), [batch.Rows, batch.Width], Device), _computeDtype);
        return _transformer.HiddenStates(weights, ids, mask);
    }

    private ForwardWeights WeightsOf(IReadOnlyList<Tensor> parameters, LoraDropout? dropout, long? variants = null)
    {
        var trainable = new Dictionary<string, Tensor>();
        var lora = new Dictionary<string, LoraPair>();
        _placement?.Distribute(parameters, trainable, lora);
        if (!SharesBase) trainable = Layout.Slots.Zip(parameters).ToDictionary(pair => pair.First.Name, pair => pair.Second);
        foreach (var name in trainable.Keys.Where(name => !SharesBase || name != HeadName).ToArray())
            trainable[name] = trainable[name].to(_computeDtype);
        return new ForwardWeights(_frozen, trainable, lora, dropout, variants);
    }
}
