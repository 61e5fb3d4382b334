using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>Spellings of PEFT and axolotl that the adapter block takes too.</summary>
internal static class ConfigurationAlias
{
    public const string Block = "adapter";

    private static readonly Dictionary<string, string> Canonical = new(StringComparer.Ordinal)
    {
        ["lora_r"] = "r",
        ["lora_alpha"] = "alpha",
        ["lora_dropout"] = "dropout",
        ["target_modules"] = "targetModules",
        ["modules_to_save"] = "modulesToSave",
    };

    public static string Resolve(string key) => Canonical.GetValueOrDefault(key, key);

    /// <summary>Spells the adapter block's keys as the reader does.</summary>
    public static void Apply(MappingNode root, FaultList faults)
    {
        if (root.Entries.GetValueOrDefault(Block) is not MappingNode adapter) return;
        foreach (var (name, node) in adapter.Entries.Where(entry => Canonical.ContainsKey(entry.Key)).ToArray())
        {
            adapter.Entries.Remove(name);
            if (!adapter.Entries.TryAdd(Canonical[name], node))
                faults.Add(node.Source, $"{Block}.{name}", $"given twice, also as {Shown.Quoted(Canonical[name])}", "once", "remove one");
        }
    }
}

/// <summary>
/// What transformers' trainer, TRL, PEFT, axolotl and LLaMA-Factory call the settings that have another name or place here. They are not
/// taken: their defaults and units may differ, so whoever types one is told what to write.
/// </summary>
internal static class ForeignKey
{
    /// <summary>Names in lower case without underscores and dashes; values are the place here, or more than a name.</summary>
    private static readonly Dictionary<string, string> Places = new(StringComparer.Ordinal)
    {
        ["adambeta1"] = "optimizer.beta1",
        ["adambeta2"] = "optimizer.beta2",
        ["adamepsilon"] = "optimizer.epsilon",
        ["adapternameorpath"] = "adapter.initFrom",
        ["attributes"] = "data.groups",
        ["basemodel"] = "model.path",
        ["batchsize"] = "batchSize",
        ["bf16"] = "model.dtype",
        ["checkpoint"] = "model.path",
        ["cutofflen"] = "model.maxLength",
        ["datapath"] = "data.path",
        ["dataset"] = "data",
        ["datasetpath"] = "data.path",
        ["datasets"] = "data",
        ["eps"] = "optimizer.epsilon",
        ["epoch"] = "epochs",
        ["filter"] = "data.where",
        ["gradclip"] = "optimizer.clipNorm",
        ["gradientaccumulationsteps"] = "batchSize counts the rows of a whole step, microBatchSize those of one pass",
        ["gradientclipping"] = "optimizer.clipNorm",
        ["initializefrom"] = "adapter.initFrom",
        ["labelcolumn"] = "data.label",
        ["learningrate"] = "optimizer.learningRate",
        ["loraalpha"] = "adapter.alpha",
        ["loradropout"] = "adapter.dropout",
        ["loramodeldir"] = "adapter.initFrom",
        ["loramodulestosave"] = "adapter.modulesToSave",
        ["lorar"] = "adapter.r",
        ["lorarank"] = "adapter.r",
        ["loratarget"] = "adapter.targetModules",
        ["loratargetmodules"] = "adapter.targetModules",
        ["lr"] = "optimizer.learningRate",
        ["lrscheduler"] = "schedule.name",
        ["lrschedulertype"] = "schedule.name",
        ["maxgradnorm"] = "optimizer.clipNorm",
        ["maxlen"] = "model.maxLength",
        ["maxlength"] = "model.maxLength",
        ["maxsamples"] = "data.limit",
        ["maxseqlen"] = "model.maxLength",
        ["maxseqlength"] = "model.maxLength",
        ["maxtrainsamples"] = "data.limit",
        ["microbatchsize"] = "microBatchSize",
        ["modelname"] = "model.path",
        ["modelnameorpath"] = "model.path",
        ["modulestosave"] = "adapter.modulesToSave",
        ["numepochs"] = "epochs",
        ["numlabels"] = "model.labels",
        ["numtrainepochs"] = "epochs",
        ["optim"] = "optimizer.name",
        ["peft"] = "adapter",
        ["perdevicetrainbatchsize"] = "batchSize",
        ["promptcolumn"] = "data.text",
        ["randomseed"] = "seed",
        ["rank"] = "adapter.r",
        ["scheduler"] = "schedule",
        ["schedulertype"] = "schedule.name",
        ["sentence"] = "data.text",
        ["sequencelen"] = "model.maxLength",
        ["targetmodules"] = "adapter.targetModules",
        ["textcolumn"] = "data.text",
        ["textfield"] = "data.text",
        ["torchdtype"] = "model.dtype",
        ["trainbatchsize"] = "batchSize",
        ["trainfile"] = "data.path",
        ["tokenizermodelmaxlength"] = "model.maxLength",
        ["userslora"] = "adapter.rslora",
        ["warmupratio"] = "schedule.warmupRatio",
        ["warmupsteps"] = "schedule.warmupSteps",
        ["weightdecay"] = "optimizer.weightDecay",
    };

    /// <summary>What was probably meant by a key that a block does not know; null where it is no name of another tool.</summary>
    public static string? Meant(string name, IReadOnlyList<string> known)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        if (!Places.TryGetValue(plain, out var place)) return null;
        if (place.Contains(' ', StringComparison.Ordinal)) return place;
        var last = place[(place.LastIndexOf('.') + 1)..];
        return $"did you mean '{(known.Contains(last) ? last : place)}'?";
    }
}
