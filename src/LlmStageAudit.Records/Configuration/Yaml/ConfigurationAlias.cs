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
}
