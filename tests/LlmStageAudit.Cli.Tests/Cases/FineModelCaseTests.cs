using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>Inputs of public reports that are handled as their authors would want, and have to stay so.</summary>
public sealed class FineModelCaseTests
{
    private const string Needs = "cases/_fine";

    [SharedTheory(Needs)]
    [InlineData("f8-weights", "dtype F8_E4M3; expected F32, F16, BF16 or F64")]
    [InlineData("gemma3-multimodal", "a model of text and images")]
    [InlineData("shard-index-tied-head", "places tensor", "which does not hold it")]
    [InlineData("tokenizer-model-only", "no tokenizer.json", "data.ids")]
    public void Refused_models(string name, params string[] mentions)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        folder.TrainRefused(3, [folder.At("model"), .. mentions]);
    }

    [SharedTheory(Needs)]
    [InlineData("epochs-fraction", "stages.0.epochs: '0.5'; expected a whole number of epochs")]
    [InlineData("one-label-regression", "model.labels: '1'; expected a whole number of classes from 2")]
    [InlineData("one-label-zero", "model.labels: '1'; expected a whole number of classes from 2")]
    public void Refused_configurations(string name, string mention)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        folder.TrainRefused(2, [folder.At("run.yaml"), mention]);
    }

    /// <summary>A loss that is no number ends the run with stage and step.</summary>
    [SharedTheory(Needs)]
    [InlineData("nan-loss", 2)]
    [InlineData("nan-loss-adamw", 2)]
    [InlineData("nan-weights", 1)]
    public void Losses_that_are_no_numbers(string name, int step)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        var outcome = folder.Train("run.yaml", Base(folder));
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains($"stage 'one', step {step}: the loss is NaN", outcome.ErrorLines[^1]);
    }

    /// <summary>Losses of the base model with its own names and dtypes: what else lies in the file changes nothing.</summary>
    [SharedTheory(Needs)]
    [InlineData("safetensors-metadata-null")]
    [InlineData("safetensors-odd-tensors-nof4")]
    [InlineData("recipe-unmatched-target")]
    public void As_the_plain_model(string name)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        using var plain = new CaseFolder("recipe-init-gaussian");
        var losses = CaseModels.Losses(plain.At("run.yaml"), plain.Out, "adapter={ r: 2, alpha: 8, targetModules: [query_key_value] }");
        Assert.Equal(losses, CaseModels.LossesOf(folder.Train("run.yaml", ["--json", .. Base(folder)])));
    }

    [SharedTheory(Needs)]
    [InlineData("safetensors-metadata-empty", null)]
    [InlineData("safetensors-odd-tensors", null)]
    [InlineData("gemma3-sliding-pattern-underscore", null)]
    [InlineData("safetensors-metadata-nested", "__metadata__ holds no string under 'cfg'")]
    [InlineData("safetensors-metadata-number", "__metadata__ holds no string under 'step'")]
    public void Files_to_inspect(string name, string? fault)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        if (fault is null) Assert.Equal("model", CommandLine.Json("inspect", folder.At("model")).Text("kind"));
        else CaseFolder.CheckRefused(CommandLine.Run("inspect", folder.At("model")), 3, fault);
    }

    [SharedTheory(Needs)]
    [InlineData("recipe-rank-pattern-nomatch", 416, "rank_pattern 'q_proj' matches no adapted layer")]
    [InlineData("recipe-roundtrip", 496, null)]
    [InlineData("recipe-unmatched-target", 288, "matches no layer of this model")]
    [InlineData("trainer-checkpoint-folder", 256, null)]
    [InlineData("unsloth-regex-gemma4", 3072, null)]
    [InlineData("unsloth-regex-recipe", 6720, null)]
    [InlineData("token-classifier-head", 288, null)]
    [InlineData("yaml-windows", 288, null)]
    public void Recipes_and_adapters_that_train(string name, int parameters, string? note)
    {
        using var folder = new CaseFolder($"_fine/{name}");
        var outcome = folder.Train("run.yaml", Base(folder));
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains($"over {parameters} parameters", outcome.Error + outcome.Output);
        if (note is not null) Assert.Contains(note, outcome.Error);
    }

    [SharedFact(Needs)]
    public void Micro_batches_change_nothing_but_rounding()
    {
        using var folder = new CaseFolder("_fine/micro-batches");
        using var runs = new TemporaryFolder();
        double[][] losses = [.. new[] { "run1", "run3", "runNone" }.Select(name =>
            CaseModels.Losses(folder.At($"{name}.yaml"), runs.At(name), $"model.path={CaseFolder.Beside("_base", "ids_model")}"))];
        Assert.Equal(losses[2][0], losses[0][0], 1e-5);
        Assert.Equal(losses[2][0], losses[1][0], 1e-5);
    }

    /// <summary>The shared model for cases that name it beside them, where the copy has a link's text in its place.</summary>
    private static string[] Base(CaseFolder folder)
    {
        var isShared = File.ReadAllText(folder.At("run.yaml")).Contains("../_base/", StringComparison.Ordinal);
        return isShared ? ["--set", $"model.path={CaseFolder.Beside("_base", "ids_model")}"] : [];
    }
}
