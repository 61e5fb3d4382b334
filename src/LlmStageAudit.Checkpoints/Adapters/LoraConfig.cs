namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>
/// The settings of a LoRA adapter, as PEFT's adapter_config.json holds them: the adapted weight is W + scaling * B A with A [rank, in]
/// and B [out, rank]. Module names are those of the model without the prefix base_model.model.
/// </summary>
public sealed record LoraConfig
{
    /// <summary>PEFT's word for every linear module but the head; the caller resolves it.</summary>
    public const string AllLinear = "all-linear";

    private static readonly string[] ClassificationHeads = ["classifier", "score"];

    /// <summary>The key r.</summary>
    public required int Rank { get; init; }

    /// <summary>The key lora_alpha.</summary>
    public required double Alpha { get; init; }

    /// <summary>Scale by alpha / sqrt(rank) rather than alpha / rank.</summary>
    public bool UseRslora { get; init; }

    /// <summary>Whole module names or their last parts; empty where <see cref="TargetPattern"/> is set.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [];

    /// <summary>A regular expression over whole module names, or <see cref="AllLinear"/>; null where the targets are listed.</summary>
    public string? TargetPattern { get; init; }

    /// <summary>Modules trained and saved whole, such as the head.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>SEQ_CLS, CAUSAL_LM, another of PEFT's tasks, or null.</summary>
    public string? TaskType { get; init; }

    /// <summary>
    /// base_model_name_or_path: what the adapter was trained on, as its author named it; null where the file does not say.
    /// </summary>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>revision of the base model; null where the file does not say.</summary>
    public string? Revision { get; init; }

    /// <summary>peft_version that wrote the file; null where it does not say.</summary>
    public string? PeftVersion { get; init; }

    /// <summary>The key lora_dropout, in [0, 1): acts on the adapter's input in training only.</summary>
    public double Dropout { get; init; }

    /// <summary>Which biases of the base train along: none, all, or lora_only (those of the adapted layers).</summary>
    public string Bias { get; init; } = "none";

    /// <summary>Ranks that differ from <see cref="Rank"/>: patterns over the tails of module names, the first match counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>Alphas that differ from <see cref="Alpha"/>, matched as <see cref="RankPattern"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Layers that are adapted; empty for all.</summary>
    public IReadOnlyList<int> LayersToTransform { get; init; } = [];

    /// <summary>Names of the module list that <see cref="LayersToTransform"/> counts in; empty for any.</summary>
    public IReadOnlyList<string> LayersPattern { get; init; } = [];

    /// <summary>Modules that stay as they are although targeted; empty where <see cref="ExcludePattern"/> is set.</summary>
    public IReadOnlyList<string> ExcludeModules { get; init; } = [];

    /// <summary>exclude_modules where it is a regular expression over whole module names.</summary>
    public string? ExcludePattern { get; init; }

    /// <summary>As the file says. PEFT ignores it for linear modules, whose weights lie as [out, in], and so must callers.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>init_lora_weights: how a fresh pair starts; see <see cref="LoraStart"/>.</summary>
    public string Start { get; init; } = LoraStart.Kaiming;

    /// <summary>
    /// ensure_weight_tying: what becomes of a tied head when the embedding changes. Null where the file does not say, as before PEFT 0.18.
    /// </summary>
    public bool? EnsureWeightTying { get; init; }

    /// <summary>
    /// The <see cref="Models.BaseFingerprint"/> of the base it was trained on, which lies in the weights' file; null where nothing says it.
    /// </summary>
    public string? BaseFingerprint { get; init; }

    /// <summary>What was read but acts otherwise than it looks, as settings PEFT itself corrects. One sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Factor of B A where no pattern says otherwise: alpha / rank, or alpha / sqrt(rank).</summary>
    public double Scaling => ScalingOf(Alpha, Rank);

    /// <summary>Whether target_modules is "all-linear", in any case.</summary>
    public bool TargetsAllLinear => string.Equals(TargetPattern, AllLinear, StringComparison.OrdinalIgnoreCase);

    /// <summary>Modules to save as PEFT writes them: for SEQ_CLS the usual head names are always among them.</summary>
    public IReadOnlyList<string> SavedModules =>
        TaskType == "SEQ_CLS" ? [.. ModulesToSave.Union(ClassificationHeads, StringComparer.Ordinal)] : ModulesToSave;

    /// <summary>Reads adapter_config.json.</summary>
    /// <exception cref="CheckpointException">Unreadable, not LoRA, a wrong value, or a variant of LoRA that is not supported.</exception>
    public static LoraConfig Read(string path) => LoraConfigReader.Read(path);

    /// <summary>Writes adapter_config.json as PEFT does: keys sorted, indent 2, inference_mode true. Replaces an existing file.</summary>
    public void Write(string path) => LoraConfigWriter.Write(path, this);

    /// <summary>
    /// Whether PEFT would adapt this module. With "all-linear" the answer only tells that the module is not excluded: which modules are
    /// linear is known to the caller.
    /// </summary>
    /// <exception cref="CheckpointException">A pattern is no regular expression or takes too long.</exception>
    public bool Targets(string moduleName)
    {
        if (ExcludePattern is not null && ModulePattern.MatchesWhole(ExcludePattern, moduleName)) return false;
        if (Names(ExcludeModules, moduleName)) return false;
        if (SavedModules.Any(saved => $".{moduleName}.".Contains($".{saved}.", StringComparison.Ordinal))) return false;
        if (TargetsAllLinear) return true;
        if (TargetPattern is not null) return ModulePattern.MatchesWhole(TargetPattern, moduleName);

        // A module named in full is adapted whatever its layer.
        if (TargetModules.Contains(moduleName, StringComparer.Ordinal)) return true;
        if (!Names(TargetModules, moduleName)) return false;
        return LayersToTransform.Count == 0
            || (ModulePattern.LayerIndex(LayersPattern, moduleName) is { } layer && LayersToTransform.Contains(layer));
    }

    /// <summary>The rank of a module: that of the first pattern that matches its name, else <see cref="Rank"/>.</summary>
    public int RankOf(string moduleName) => FirstMatch(RankPattern, moduleName, Rank);

    internal double AlphaOf(string moduleName) => FirstMatch(AlphaPattern, moduleName, Alpha);

    /// <summary>Factor of B A for one module, with its own rank and alpha.</summary>
    public double ScalingOf(string moduleName) => ScalingOf(AlphaOf(moduleName), RankOf(moduleName));

    private static T FirstMatch<T>(IReadOnlyList<KeyValuePair<string, T>> patterns, string moduleName, T otherwise)
    {
        foreach (var (pattern, value) in patterns)
        {
            if (ModulePattern.MatchesTail(pattern, moduleName)) return value;
        }

        return otherwise;
    }

    private static bool Names(IReadOnlyList<string> tails, string moduleName) =>
        tails.Any(tail => moduleName == tail || moduleName.EndsWith($".{tail}", StringComparison.Ordinal));

    private double ScalingOf(double alpha, int rank) => UseRslora ? alpha / Math.Sqrt(rank) : alpha / rank;
}

/// <summary>The starts of fresh pairs that are known by name; A is [rank, in] and B [out, rank].</summary>
public static class LoraStart
{
    /// <summary>PEFT's default, true: A uniform in +-1/sqrt(in), B zero.</summary>
    public const string Kaiming = "true";

    /// <summary>False: both as PyTorch starts linear layers, A uniform in +-1/sqrt(in), B in +-1/sqrt(rank); it acts at once.</summary>
    public const string Linear = "false";

    /// <summary>A normal with the standard deviation 1/rank, B zero.</summary>
    public const string Gaussian = "gaussian";

    /// <summary>B from the base's singular vectors, and frozen in training.</summary>
    public const string Mica = "mica";
}
