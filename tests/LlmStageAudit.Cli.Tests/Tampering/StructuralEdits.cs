using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>
/// What someone might do to a run on purpose, each kind with parameters drawn at random. An edit is done to the run, and says what must
/// be found.
/// </summary>
internal static partial class StructuralEdits
{
    private const int Steps = TamperedRun.StepsPerStage;

    public static IReadOnlyList<(string Name, Func<TamperedRun, StableRandom, Expectation[]> Apply)> Kinds { get; } =
    [
        ("a record removed", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps - 1);
            log.Records.RemoveAt(record - 1);
            return [new(file, record, "removed") { IsAlone = true }];
        })),
        ("two neighbouring records removed", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 2 + random.Next(Steps - 3);
            log.Records.RemoveRange(record - 1, 2);
            return [new(file, record, "removed") { IsAlone = true }];
        })),
        ("a record twice", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps);
            log.Records.Insert(record + random.Next(Steps - record + 1), log.Records[record - 1]);
            return [new(file, record, "duplicated") { IsAlone = true }];
        })),
        ("two records swapped", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var (first, second) = Two(random, Steps);
            (log.Records[first - 1], log.Records[second - 1]) = (log.Records[second - 1], log.Records[first - 1]);
            return [new(file, first, "reordered") { IsAlone = true }];
        })),
        ("a record moved", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps - 3);
            var moved = log.Records[record - 1];
            log.Records.RemoveAt(record - 1);
            log.Records.Insert(record + 1 + random.Next(Steps - record - 1), moved);
            return [new(file, record, "reordered") { IsAlone = true }];
        })),
        ("all records in reverse", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            log.Records.Reverse();
            return [new(file, null, "reordered")];
        })),
        ("a record replaced by another run's", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps);
            log.Records[record - 1] = LogSurgery.Open(run.Other(file)).Records[record - 1];
            return [new(file, record, "changed") { IsAlone = true }];
        })),
        ("a record replaced by another stage's", (run, random) => OnLog(run, random, (log, file, stage) =>
        {
            var (record, source) = (1 + random.Next(Steps), LogSurgery.Open(run.At(TamperedRun.Log((stage + 1) % 3))));
            log.Records[record - 1] = source.Records[random.Next(Steps)];
            return [new(file, record, "changed") { IsAlone = true }];
        })),
        ("another run's record put in", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps - 1);
            log.Records.Insert(record, LogSurgery.Open(run.Other(file)).Records[record]);
            return [new(file, record, "foreign") { IsAlone = true }];
        })),
        ("cut after a record", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var kept = random.Next(Steps);
            log.Records.RemoveRange(kept, Steps - kept);
            return [new(file, kept + 1, "truncated") { IsAlone = true }];
        })),
        ("cut inside a record", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            var record = 1 + random.Next(Steps);
            var bytes = log.Records[record - 1];
            log.Records.RemoveRange(record - 1, Steps - record + 1);
            log.Records.Add(bytes[..(1 + random.Next(bytes.Length - 1))]);
            return [new(file, record, "truncated") { IsAlone = true }];
        })),
        ("bytes appended", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            log.Records.Add(new byte[1 + random.Next(100)]);
            return [new(file, Steps, "appended") { IsAlone = true }];
        })),
        ("another run's records appended", (run, random) => OnLog(run, random, (log, file, _) =>
        {
            log.Records.AddRange(LogSurgery.Open(run.Other(file)).Records.Take(1 + random.Next(Steps)));
            return [new(file, Steps, "appended") { IsAlone = true }];
        })),
        ("a loss edited under a fresh hash", (run, random) => OnLog(run, random, (log, file, stage) =>
        {
            var record = 1 + random.Next(Steps);
            log.EditHeader(record, header => Loss().Replace(header, "\"lossNats\":0.125"));
            log.Rehash(record, record, Genesis(run, stage));
            return [new(file, record, "changed") { IsAlone = true }];
        })),
        ("a batch id edited under a fresh hash", (run, random) => OnLog(run, random, (log, file, stage) =>
        {
            var record = 1 + random.Next(Steps);
            log.EditHeader(record, header => BatchId().Replace(header, "$1-99\"", 1));
            log.Rehash(record, record, Genesis(run, stage));
            return [new(file, record, "changed") { IsAlone = true }];
        })),
        ("a gradient edited and the chain made anew", (run, random) => OnLog(run, random, (log, file, stage) =>
        {
            var record = 1 + random.Next(Steps);
            log.EditGradient(record);
            log.Rehash(record, Steps, Genesis(run, stage));
            return [new(file, record, "changed") { IsAlone = true }];
        })),
        ("a record removed and the chain made anew", (run, random) => OnLog(run, random, (log, file, stage) =>
        {
            var record = 1 + random.Next(Steps - 1);
            log.Records.RemoveAt(record - 1);
            log.Rehash(record, Steps - 1, Genesis(run, stage));
            return [new(file, record, "changed")];
        })),
        ("two stages' logs swapped", (run, random) =>
        {
            var (first, second) = Two(random, 3);
            Swap(run.At(TamperedRun.Log(first - 1)), run.At(TamperedRun.Log(second - 1)));
            return [new(TamperedRun.Log(first - 1), null, "foreign"), new(TamperedRun.Log(second - 1), null, "foreign")];
        }),
        ("another run's log", (run, random) =>
        {
            var log = TamperedRun.Log(random.Next(3));
            File.Copy(run.Other(log), run.At(log), overwrite: true);
            return [new(log, null, "foreign")];
        }),
        ("two stages' states swapped", (run, random) =>
        {
            var (first, second) = Two(random, 3);
            Swap(run.At(TamperedRun.Weights(first - 1)), run.At(TamperedRun.Weights(second - 1)));
            return [new(TamperedRun.Weights(first - 1), null, "foreign"), new(TamperedRun.Weights(second - 1), null, "foreign")];
        }),
        ("another run's state", (run, random) =>
        {
            var weights = random.Next(4) is > 0 and var stage ? TamperedRun.Weights(stage - 1) : "initial/adapter_model.safetensors";
            File.Copy(run.Other(weights), run.At(weights), overwrite: true);
            return [new(weights, null, "changed")];
        }),
        ("the configuration edited in the manifest", (run, random) =>
        {
            var (field, value) = new (string, JsonNode)[] { ("seed", 9), ("probes", new JsonArray()), ("batchSize", 3) }[random.Next(2)];
            run.EditJson("manifest.json", manifest => manifest["configuration"]![field] = value);
            return [new("manifest.json", null, "changed") { Field = $"configuration.{field}" }];
        }),
        ("an input's hash edited in the manifest", (run, random) =>
        {
            var index = random.Next(4);
            run.EditJson("manifest.json", manifest => manifest["inputs"]![index]!["sha256"] = new string('0', 64));
            return [new("manifest.json", null, "changed") { Field = $"inputs[{index}]" }];
        }),
        ("a stage's result edited in the manifest", (run, random) =>
        {
            var stage = random.Next(3);
            run.EditJson("manifest.json", manifest => manifest["stages"]![stage]!["lossLast"] = 0.01);
            return [new("manifest.json", null, "changed") { Field = $"stages[{stage}]" }];
        }),
        ("a stage renamed in the manifest", (run, random) =>
        {
            var stage = random.Next(3);
            run.EditJson("manifest.json", manifest => manifest["stages"]![stage]!["name"] = "renamed");
            return [new("manifest.json", null, "changed") { Field = $"stages[{stage}]" }];
        }),
        ("another run's manifest", (run, _) =>
        {
            File.Copy(run.Other("manifest.json"), run.At("manifest.json"), overwrite: true);
            return [new("manifest.json", null, "changed") { Field = "runId" }];
        }),
        ("two stages' data swapped", (run, random) =>
        {
            var (first, second) = Two(random, 3);
            string[] paths =
                [run.Input($"{TinyWorkspace.Stages[first - 1]}.jsonl"), run.Input($"{TinyWorkspace.Stages[second - 1]}.jsonl")];
            Swap(paths[0], paths[1]);
            return [new(paths[0], null, "changed"), new(paths[1], null, "changed")];
        }),
        ("an input edited", (run, random) =>
        {
            string[] inputs =
            [
                "second.jsonl",
                "identity.yaml",
                "base-run/stages/01-language/state/model.safetensors",
                "base-run/stages/01-language/state/config.json",
            ];
            var path = run.Input(inputs[random.Next(inputs.Length)]);
            File.AppendAllText(path, " ");
            return [new(path, null, "changed")];
        }),
        ("a stage's folder renamed", (run, random) =>
        {
            var stage = random.Next(3);
            var folder = Path.GetDirectoryName(TamperedRun.Log(stage))!;
            Directory.Move(run.At(folder), run.At(folder + "-old"));
            return
            [
                new(TamperedRun.Log(stage), null, "missing"),
                new(TamperedRun.Weights(stage), null, "missing"),
                new($"{folder}-old/trajectory.log", null, "unpinned"),
            ];
        }),
        ("a file deleted", (run, random) =>
        {
            var name = run.Names[random.Next(run.Names.Count)];
            File.Delete(run.At(name));
            return [new(name, null, name == "seal.json" ? "unsealed" : "missing")];
        }),
        ("a file added", (run, random) =>
        {
            string[] places =
            [
                "initial/notes.txt",
                "stages/extra.bin",
                "stages/02-second/state/pytorch_model.bin",
                "stages/04-fourth/trajectory.log",
                "stages/01-first/trajectory.log.bak",
            ];
            var name = places[random.Next(places.Length)];
            Directory.CreateDirectory(Path.GetDirectoryName(run.At(name))!);
            File.WriteAllText(run.At(name), "x");
            return [new(name, null, "unpinned")];
        }),
        ("an older seal", (run, random) =>
        {
            Reseal(run, seals => { for (var left = 1 + random.Next(4); left > 0; left--) seals.RemoveAt(seals.Count - 1); });
            return [new("seal.json", null, "unsealed")];
        }),
        ("another run's seal", (run, _) =>
        {
            File.Copy(run.Other("seal.json"), run.At("seal.json"), overwrite: true);
            return [new("seal.json", null, "foreign")];
        }),
        ("a seal taken out of the history", (run, random) =>
        {
            Reseal(run, seals => seals.RemoveAt(random.Next(seals.Count - 1)));
            return [new("seal.json", null, "changed")];
        }),
        ("a state changed and sealed anew", (run, random) =>
        {
            var stage = random.Next(3);
            var bytes = File.ReadAllBytes(run.At(TamperedRun.Weights(stage)));
            bytes[^1] ^= 1;
            File.WriteAllBytes(run.At(TamperedRun.Weights(stage)), bytes);
            Reseal(run, seals =>
            {
                var file = seals[stage + 1]!["files"]!.AsArray().Single(node => (string?)node!["path"] == TamperedRun.Weights(stage))!;
                file["sha256"] = FileTree.HashOf(run.At(TamperedRun.Weights(stage)));
            });
            return [new("seal.json", null, "changed") { Field = $"seals[{stage + 1}]" }];
        }),
    ];

    private static Expectation[] OnLog(TamperedRun run, StableRandom random, Func<LogSurgery, string, int, Expectation[]> edit)
    {
        var stage = random.Next(3);
        var file = TamperedRun.Log(stage);
        var log = LogSurgery.Open(run.At(file));
        var expected = edit(log, file, stage);
        log.Save(run.At(file));
        return expected;
    }

    /// <summary>Changes the seal's history and makes every digest and link in it right again.</summary>
    private static void Reseal(TamperedRun run, Action<JsonArray> change) => run.EditJson("seal.json", seal =>
    {
        var seals = seal["seals"]!.AsArray();
        change(seals);
        var previous = (string?)null;
        foreach (var (index, entry) in seals.Select(node => node!.AsObject()).Index())
        {
            entry["sequence"] = index + 1;
            if (previous is not null) entry["previousSha256"] = previous;
            entry["sha256"] = previous = DigestOf(entry);
        }

        seal["sequence"] = seals.Count;
        seal["sha256"] = DigestOf(seal.AsObject());
    });

    private static string DigestOf(JsonObject node)
    {
        var bare = node.DeepClone().AsObject();
        bare.Remove("sha256");
        var text = bare.ToJsonString(Records.Serialization.ArtifactJson.CompactOptions);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    private static string Genesis(TamperedRun run, int stage) => $"{run.RunId}/{TinyWorkspace.Stages[stage]}";

    private static (int First, int Second) Two(StableRandom random, int count)
    {
        var first = 1 + random.Next(count - 1);
        return (first, first + 1 + random.Next(count - first));
    }

    private static void Swap(string left, string right)
    {
        var bytes = File.ReadAllBytes(left);
        File.Copy(right, left, overwrite: true);
        File.WriteAllBytes(right, bytes);
    }

    [GeneratedRegex("\"lossNats\":[^,}]*")]
    private static partial Regex Loss();

    [GeneratedRegex("(\"(?:first|second|third))-[0-9]+\"")]
    private static partial Regex BatchId();
}
