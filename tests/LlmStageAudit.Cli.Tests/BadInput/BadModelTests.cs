using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

[Collection(AuditCollection.Name)]
public sealed class BadModelTests(AuditFixture audit) : IDisposable
{
    private const string SomeTensor = "gpt_neox.layers.1.attention.dense.weight";

    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Weights_cut_short()
    {
        using (var file = File.OpenWrite(_workspace.Weights)) file.SetLength(file.Length - 100);
        _workspace.TrainRefused(3, _workspace.Weights, "tensor '", "the file holds", "expected a whole file", "fetch or copy it again");
    }

    [Fact]
    public void Weights_cut_within_the_header()
    {
        using (var file = File.OpenWrite(_workspace.Weights)) file.SetLength(50);
        _workspace.TrainRefused(3, _workspace.Weights, "50 bytes", "a whole header");
    }

    [Fact]
    public void A_tensor_that_is_missing()
    {
        _workspace.EditWeights(tensor => tensor.Name == SomeTensor ? null : tensor);
        _workspace.TrainRefused(3, _workspace.Model, SomeTensor);
    }

    [Fact]
    public void A_tensor_of_another_shape()
    {
        _workspace.EditWeights(tensor => tensor.Name == SomeTensor ? new HostTensor(tensor.Name, [4, 64], tensor.Values) : tensor);
        _workspace.TrainRefused(3, _workspace.Weights, SomeTensor, "[4, 64]", "expected [16, 16]");
    }

    [Fact]
    public void No_model_folder()
    {
        Directory.Delete(_workspace.Model, recursive: true);
        _workspace.TrainRefused(3, _workspace.Model, "no such folder", "config.json");
    }

    [Fact]
    public void A_family_that_is_not_supported()
    {
        _workspace.Edit("base-run/stages/01-language/state/config.json", "gpt_neox", "mamba");
        _workspace.TrainRefused(
            3, Path.Combine(_workspace.Model, "config.json"), "'mamba'", "expected ", "gpt_neox", "llama", "gemma3_text");
    }

    [Fact]
    public void Weights_in_a_pickle_only()
    {
        File.Move(_workspace.Weights, Path.Combine(_workspace.Model, "pytorch_model.bin"));
        _workspace.TrainRefused(3, _workspace.Model, "pytorch_model.bin", "pickle", "convert it");
    }

    [Fact]
    public void An_adapter_in_a_pickle_only()
    {
        FileTree.Copy(audit.At("sgd-run", "initial"), _workspace.At("adapter"));
        File.Move(_workspace.At("adapter", "adapter_model.safetensors"), _workspace.At("adapter", "adapter_model.bin"));
        _workspace.Edit("sgd.yaml", "r: 2, alpha: 4, targetModules: [query_key_value, dense_h_to_4h]", "initFrom: adapter");
        _workspace.TrainRefused(3, _workspace.At("adapter"), "adapter_model.bin", "pickle");
        _workspace.Refused(
            3, ["evaluate", "--model", _workspace.Model, "--adapter", _workspace.At("adapter"), "--probe", _workspace.Probe],
                "adapter_model.bin", "pickle");
    }

    [Fact]
    public void An_adapter_of_another_model()
    {
        FileTree.Copy(audit.At("sgd-run", "initial"), _workspace.At("adapter"));
        _workspace.Edit("adapter/adapter_config.json", "dense_h_to_4h", "dense_4h_to_h");
        _workspace.Refused(3, ["evaluate", "--model", _workspace.Model, "--adapter", _workspace.At("adapter"), "--probe", _workspace.Probe],
            _workspace.At("adapter"), "tensor '");
    }

    [Fact]
    public void A_head_that_was_never_trained_is_not_made_up_to_be_evaluated() =>
        _workspace.Refused(
            3, ["evaluate", "--model", _workspace.Model, "--probe",
                _workspace.Write("p.yaml", TinyWorkspace.Probe + "\ntask: sequence-classification\n")], "score.weight");

    [Fact]
    public void Text_without_a_tokenizer()
    {
        _workspace.Write("texts.jsonl", "{\"text\":\"good morning\",\"label\":0}\n");
        _workspace.Edit("sgd.yaml", "path: first.jsonl, ids: ids", "path: texts.jsonl, text: text");
        var outcome = _workspace.TrainRefused(3, _workspace.Model, "no tokenizer.json", "data.ids");
        Assert.DoesNotContain("good morning", outcome.Error);
    }
}
