using System.Text;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Records.Tests.Configuration;

public sealed class RunConfigurationFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // One fault each: an override puts it there, the message must name the key, and say what was found and expected.
    [Theory]
    [InlineData("model=null", "model: missing; expected a block with path and task")]
    [InlineData("model=3", "model: '3'; expected a block")]
    [InlineData("model.path=null", "model.path: missing")]
    [InlineData("model.path=\"\"", "model.path: an empty text")]
    [InlineData("model.path=[a]", "model.path: a list; expected a text")]
    [InlineData("model.task=null", "model.task: missing; expected sequence-classification or causal-lm")]
    [InlineData("model.task=causal", "model.task: 'causal'; expected sequence-classification, causal-lm")]
    [InlineData("model.task=causal_lm", "did you mean 'causal-lm'?")]
    [InlineData("model.labels=1", "model.labels: '1'; expected a whole number of classes from 2")]
    [InlineData("model.maxLength=0", "model.maxLength: '0'; expected a whole number of tokens from 1")]
    [InlineData("model.maxLength=12.5", "model.maxLength: '12.5'")]
    [InlineData("model.weights=none", "model.weights: 'none'; expected pretrained, random")]
    [InlineData("adapter=null", "adapter: missing; expected a block such as { r: 8, alpha: 8 }, or none")]
    [InlineData("adapter=lora", "adapter: 'lora'")]
    [InlineData("adapter.r=0", "adapter.r: '0'")]
    [InlineData("adapter.r=\"8\"", "adapter.r: the text '8'; expected a whole number")]
    [InlineData("adapter.alpha=0", "adapter.alpha: '0'; expected a number above 0")]
    [InlineData("adapter.rslora=yes", "adapter.rslora: 'yes'; expected true or false")]
    [InlineData("adapter.targetModules={a: b}", "adapter.targetModules: a block of keys; expected a list of texts")]
    [InlineData("adapter.targetModules=[a, a]", "adapter.targetModules.1: 'a' is given twice")]
    [InlineData("adapter.targetModules=[a, null]", "adapter.targetModules.1: nothing; expected a text")]
    [InlineData("adapter.rank=4", "adapter.rank: unknown key; did you mean 'r'?")]
    [InlineData("adapter.rnk=4", "adapter.rnk: unknown key; known: recipe, initFrom, r, alpha")]
    [InlineData("optimizer=null", "optimizer: missing")]
    [InlineData("optimizer.name=adam", "optimizer.name: 'adam'; expected sgd, adamw; did you mean 'adamw'?")]
    [InlineData("optimizer.learningRate=null", "optimizer.learningRate: missing")]
    [InlineData("optimizer.learningRate=-1e-4", "optimizer.learningRate: '-1e-4'; expected a number of at least 0")]
    [InlineData("optimizer.learningRate=.nan", "optimizer.learningRate: '.nan'")]
    [InlineData("optimizer.learningRate=1e999", "optimizer.learningRate: '1e999'")]
    [InlineData("optimizer.learningRate=0,1", "optimizer.learningRate: '0,1'")]
    [InlineData("optimizer.learning_rate=1", "optimizer.learning_rate: unknown key; did you mean 'learningRate'?")]
    [InlineData("optimizer.momentum=0.9", "optimizer.momentum: not a setting of adamw")]
    [InlineData("optimizer={name: sgd, learningRate: 1, beta1: 0.9}", "optimizer.beta1: not a setting of sgd")]
    [InlineData("optimizer={name: sgd, learningRate: 1, momentum: 1}", "optimizer.momentum: '1'; expected a number from 0 up to but not 1")]
    [InlineData("optimizer.beta2=1", "optimizer.beta2: '1'")]
    [InlineData("optimizer.epsilon=0", "optimizer.epsilon: '0'; expected a number above 0")]
    [InlineData("optimizer.weightDecay=-1", "optimizer.weightDecay: '-1'")]
    [InlineData("optimizer.clipNorm=0", "optimizer.clipNorm: '0'")]
    [InlineData("schedule.name=step", "schedule.name: 'step'; expected constant, linear, cosine")]
    [InlineData("schedule.warmupRatio=1.5", "schedule.warmupRatio: '1.5'; expected a number from 0 to 1")]
    [InlineData("schedule.warmupSteps=-1", "schedule.warmupSteps: '-1'")]
    [InlineData("schedule={warmupSteps: 1, warmupRatio: 0.1}", "schedule.warmupSteps: given beside warmupRatio")]
    [InlineData("schedule=linear", "schedule: 'linear'; expected a block with the keys name")]
    [InlineData("seed=x", "seed: 'x'; expected a whole number")]
    [InlineData("seed=9223372036854775808", "seed: '9223372036854775808'")]
    [InlineData("stages=[]", "stages: 0 stages; expected a list of 1 to 100 stages")]
    [InlineData("stages=null", "stages: missing")]
    [InlineData("stages={}", "stages: a block of keys")]
    [InlineData("stages.0=x", "stages.0: 'x'; expected a block with name and data")]
    [InlineData("stages.0.name=null", "stages.0.name: missing; expected 1 to 100 letters")]
    [InlineData("stages.0.name=a/b", "stages.0.name: 'a/b'; expected 1 to 100 letters, digits, '.', '-' and '_'; for example 'a-b'")]
    [InlineData("stages.0.name=two.b", "stages.1.name: 'two.b' is the name of an earlier stage")]
    [InlineData("stages.0.epochs=0", "stages.0.epochs: '0'; expected a whole number of epochs from 1")]
    [InlineData("stages.0.batchSize=0", "stages.0.batchSize: '0'")]
    [InlineData("stages.0.microBatchSize=5", "stages.0.microBatchSize: 5; expected at most the batch size 4")]
    [InlineData("stages.0.shuffle=1", "stages.0.shuffle: '1'; expected true or false")]
    [InlineData("stages.0.data=null", "stages.0.data: missing")]
    [InlineData("stages.0.data.path=null", "stages.0.data.path: missing")]
    [InlineData("stages.0.data.text=null", "stages.0.data.text: missing")]
    [InlineData("stages.0.data.label=null", "stages.0.data.label: missing")]
    [InlineData("stages.0.data.ids=i", "stages.0.data.ids: given beside text")]
    [InlineData("stages.0.data.completion=c", "stages.0.data.completion: not scored by sequence-classification")]
    [InlineData("stages.0.data.format=csv", "stages.0.data.format: 'csv'; expected civil-comments")]
    [InlineData("stages.0.data.limit=0", "stages.0.data.limit: '0'")]
    [InlineData("stages.0.data.sample=0", "stages.0.data.sample: '0'")]
    [InlineData("stages.0.data.sampleSeed=3", "stages.0.data.sampleSeed: given without sample")]
    [InlineData("stages.0.data={path: a.csv, text: t, label: l, limit: 3, sample: 3}", "stages.0.data.sample: given beside limit; expected one of")]
    [InlineData("stages.0.data.missing=ignore", "stages.0.data.missing: 'ignore'; expected refuse, skip")]
    [InlineData("stages.0.data.quoting=minimal", "stages.0.data.quoting: 'minimal'; expected quoted, none")]
    [InlineData("stages.0.data.groups=[a]", "stages.0.data.groups: unknown key")]
    [InlineData("stages.0.optimizer.momentum=0.9", "stages.0.optimizer.momentum: not a setting of adamw")]
    [InlineData("stages.0.optimizer={name: sgd}", "stages.0.optimizer.learningRate: missing; expected a number, as nothing is taken over")]
    [InlineData("probes={a: b}", "probes: a block of keys; expected a list")]
    [InlineData("probes=[[a]]", "probes.0: a list; expected a text")]
    [InlineData("trajectory=false", "trajectory: 'false'; expected a block with the keys gradients")]
    [InlineData("trajectory.gradient=false", "trajectory.gradient: unknown key; did you mean 'gradients'?")]
    [InlineData("optimiser.name=sgd", "optimiser: unknown key; did you mean 'optimizer'?")]
    [InlineData("seed", "not a key and a value; expected key.key=value")]
    [InlineData("=3", "not a key and a value")]
    [InlineData("a..b=3", "not a key and a value")]
    [InlineData("stages.three.epochs=1", "no item 'three' in stages; expected an index from 0 to 1 or a name")]
    [InlineData("stages.2.epochs=1", "no item '2' in stages")]
    [InlineData("seed.a=1", "seed is '7'; expected a block of keys or a list there")]
    [InlineData("seed=&a 1", "the anchor '&a'; expected no anchors")]
    [InlineData("seed=!!str 1", "the tag ")]
    [InlineData("<<=1", "<<: unknown key")]
    public void Each_fault_is_named_alone(string change, string expected)
    {
        var fault = Assert.Single(Faults("seed: 7\n" + SampleYaml.Small, change));

        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
        string[] places = ["override ", $"{_folder.At("run.yaml")}:"];
        Assert.Contains(places, place => fault.StartsWith(place, StringComparison.Ordinal));
    }

    /// <summary>What transformers' trainer, TRL, PEFT, axolotl and LLaMA-Factory call what has another name or place here.</summary>
    [Theory]
    [InlineData("lr=1e-4", "lr: unknown key; did you mean 'optimizer.learningRate'?")]
    [InlineData("optimizer.lr=1e-4", "optimizer.lr: unknown key; did you mean 'learningRate'?")]
    [InlineData("learning_rate=1e-4", "did you mean 'optimizer.learningRate'?")]
    [InlineData("num_epochs=3", "num_epochs: unknown key; did you mean 'epochs'?")]
    [InlineData("num_train_epochs=3", "did you mean 'epochs'?")]
    [InlineData("per_device_train_batch_size=4", "did you mean 'batchSize'?")]
    [InlineData("batch_size=4", "did you mean 'batchSize'?")]
    [InlineData("stages.0.micro_batch_size=4", "did you mean 'microBatchSize'?")]
    [InlineData("gradient_accumulation_steps=4", "batchSize counts the rows of a whole step, microBatchSize those of one pass")]
    [InlineData("lora_r=8", "did you mean 'adapter.r'?")]
    [InlineData("lora_alpha=8", "did you mean 'adapter.alpha'?")]
    [InlineData("adapter.lora_rank=8", "did you mean 'r'?")]
    [InlineData("adapter.use_rslora=true", "did you mean 'rslora'?")]
    [InlineData("lora_target_modules=[a]", "did you mean 'adapter.targetModules'?")]
    [InlineData("max_length=128", "did you mean 'model.maxLength'?")]
    [InlineData("model.max_seq_length=128", "model.max_seq_length: unknown key; did you mean 'maxLength'?")]
    [InlineData("sequence_len=128", "did you mean 'model.maxLength'?")]
    [InlineData("base_model=x", "did you mean 'model.path'?")]
    [InlineData("model_name_or_path=x", "did you mean 'model.path'?")]
    [InlineData("model.num_labels=2", "did you mean 'labels'?")]
    [InlineData("warmup_ratio=0.1", "did you mean 'schedule.warmupRatio'?")]
    [InlineData("lr_scheduler_type=linear", "did you mean 'schedule.name'?")]
    [InlineData("optimizer.max_grad_norm=1", "did you mean 'clipNorm'?")]
    [InlineData("optimizer.adam_epsilon=1", "did you mean 'epsilon'?")]
    [InlineData("weight_decay=0.1", "did you mean 'optimizer.weightDecay'?")]
    [InlineData("stages.0.data.max_samples=5", "did you mean 'limit'?")]
    [InlineData("stages.0.data.text_column=x", "did you mean 'text'?")]
    public void Names_of_other_tools_are_answered_with_those_of_this_one(string text, string expected) => Assert.Contains(
        Faults(SampleYaml.Small, text), fault => fault.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Every_fault_is_reported_at_once_in_file_order_with_its_line()
    {
        var path = _folder.At("run.yaml");
        var faults = Faults(
            """
            model: { path: m, task: classify }
            adapter: { r: eight }
            optimizer: { name: sgd, learningRate: -1, beta1: 0.5 }
            sede: 7
            stages:
              - name: a b
                data: { text: t, label: l }
              - name: two
                batchSize: 4
                data:
                  path: b.csv
                  text: t
                  labell: l
            """,
            "schedule.name=up");

        var where = faults.Select(fault => string.Join(':', fault.Replace(path, "P", StringComparison.Ordinal).Split(": ")[0..2]));
        Assert.Equal(
            [
                "P:1:model.task",
                "P:2:adapter.r",
                "P:3:optimizer.learningRate",
                "P:3:optimizer.beta1",
                "P:4:sede",
                "P:6:stages.0.name",
                "P:7:stages.0.data.path",
                "P:11:stages.1.data.label",
                "P:13:stages.1.data.labell",
                "override schedule.name=up:schedule.name",
            ],
            where);
    }

    [Theory]
    [InlineData("seed: 1\nseed: 2\n", ":2: seed: given twice in one block")]
    [InlineData("? [a]\n: 1\n", ":1: a list as a key")]
    [InlineData("~: 1\n", ":1: an empty value as a key")]
    public void Keys_are_single_and_names(string before, string expected)
    {
        Assert.Contains(expected, Assert.Single(Faults(before + SampleYaml.Small)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_and_its_alias_are_given_twice()
    {
        var yaml = SampleYaml.Small.Replace("{ r: 4 }", "{ r: 4, lora_r: 4 }", StringComparison.Ordinal);

        Assert.Contains(":2: adapter.lora_r: given twice, also as 'r'", Assert.Single(Faults(yaml)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no configuration; expected the keys model, adapter")]
    [InlineData("# nothing\n", "no configuration")]
    [InlineData("[1, 2]", "a list; expected the keys")]
    [InlineData("model: {", "not valid YAML")]
    [InlineData("a: b: c", "not valid YAML")]
    [InlineData("a: {<,%", "not valid YAML")]
    public void A_file_that_is_no_configuration_is_one_fault(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Single(Faults(yaml)), StringComparison.Ordinal);

    [Fact]
    public void Aliases_and_second_documents_are_refused()
    {
        var faults = Faults("seed: &s 1\nprobes: [*s]\n" + SampleYaml.Small + "---\nseed: 1\n");

        Assert.Contains(faults, fault => fault.Contains(":1: the anchor '&s'", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains(":2: the alias '*s'", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains(":9: a second YAML document", StringComparison.Ordinal));
    }

    [Fact]
    public void Depth_count_and_size_are_bounded()
    {
        Assert.Contains("nested deeper than 32", Faults($"a: {new string('[', 100_000)}")[0], StringComparison.Ordinal);
        Assert.Contains("nested deeper than 32", Faults(SampleYaml.Small, $"seed={new string('[', 100_000)}")[0], StringComparison.Ordinal);
        Assert.Contains(
            "more than 100000 values",
            Faults($"a: [{string.Concat(Enumerable.Repeat("1,", 200_000))}]")[0],
            StringComparison.Ordinal);
        Assert.Contains("at most 4194304 bytes", Faults(new string(' ', (4 << 20) + 1))[0], StringComparison.Ordinal);
        Assert.Equal(101, Faults(string.Concat(Enumerable.Range(0, 1000).Select(i => $"k{i}: 1\n"))).Count);
    }

    [Fact]
    public void Unreadable_files_are_named()
    {
        var missing = Assert.Throws<ConfigurationException>(() => RunConfigurationReader.Read(_folder.At("none.yaml"), []));
        Assert.Contains("none.yaml: no such file; expected a YAML file", missing.Message, StringComparison.Ordinal);

        var binary = _folder.At("binary.yaml");
        File.WriteAllBytes(binary, [.. Encoding.UTF8.GetBytes("seed: "), 0xFF, 0xFE]);
        Assert.Contains(
            "is not UTF-8",
            Assert.Throws<ConfigurationException>(() => RunConfigurationReader.Read(binary, [])).Message,
            StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Faults(string yaml, params string[] overrides)
    {
        var path = _folder.Write("run.yaml", yaml);
        var exception = Assert.Throws<ConfigurationException>(() => RunConfigurationReader.Read(path, overrides));
        Assert.Equal(ErrorKind.Request, exception.Kind);
        return exception.Faults;
    }
}
