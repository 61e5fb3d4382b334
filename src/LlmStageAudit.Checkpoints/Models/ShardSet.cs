using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>The open weight files of a model folder, none where it has no weights, with one table over all of their tensors.</summary>
internal sealed class ShardSet : IDisposable
{
    public const string IndexFile = "model.safetensors.index.json";

    private const long LongestIndexBytes = 64 << 20;
    private const int MostShards = 10_000;

    private static readonly string[] PickledStems = ["pytorch_model", "model", "consolidated"];

    private readonly string _folder;
    private readonly List<SafetensorsFile> _files = [];

    private ShardSet(string folder) => _folder = folder;

    public OrderedDictionary<string, (SafetensorsFile File, TensorEntry Entry)> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of the weight files and, where there is one, of the index.</summary>
    public List<string> FileNames { get; } = [];

    public static ShardSet Open(string folder)
    {
        var set = new ShardSet(folder);
        try
        {
            if (File.Exists(set.Beside(ModelFolder.WeightsFile))) set.Add(ModelFolder.WeightsFile, set.Beside(ModelFolder.WeightsFile));
            else if (File.Exists(set.Beside(IndexFile))) set.AddIndexed();
            else if (Directory.EnumerateFiles(folder).Where(IsPickledWeights).Order(StringComparer.Ordinal).FirstOrDefault() is { } pickle)
            {
                throw CheckpointException.PickledWeights(folder, pickle, ModelFolder.WeightsFile,
                    "from transformers import AutoModelForCausalLM as M; "
                    + "M.from_pretrained('IN').save_pretrained('OUT', safe_serialization=True)");
            }

            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    // Trainers leave pickles of their own beside the weights (training_args.bin, optimizer.pt), which are not looked at.
    private static bool IsPickledWeights(string path)
    {
        var name = Path.GetFileName(path);
        var isIndex = name.EndsWith(".bin.index.json", StringComparison.Ordinal);
        return (PickleSignature.IsName(name) || isIndex) && PickledStems.Any(stem => name.StartsWith(stem, StringComparison.Ordinal));
    }

    /// <summary>
    /// Opens every shard that the index's weight_map names. Shards must lie in the folder itself, hold what the index says, and share no
    /// tensor; a tensor that the index leaves out is kept, as transformers keeps it.
    /// </summary>
    private void AddIndexed()
    {
        var path = Beside(IndexFile);
        var index = JsonSection.Read(path, LongestIndexBytes);
        var map = index.FindSection("weight_map") ?? throw index.Absent("weight_map", "an object from tensor to file name");
        var places = map.Strings().ToList();
        var shards = places.Select(place => place.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (shards.Count is 0 or > MostShards) throw CheckpointException.At(path, $"names {shards.Count} shards", $"1 to {MostShards}");
        foreach (var shard in shards)
        {
            var found = $"names the shard {MessageText.Quote(shard)}";
            var isPlain = shard.EndsWith(".safetensors", StringComparison.Ordinal) && shard.IndexOfAny(['/', '\\', ':', '\0']) < 0;
            if (!isPlain) throw CheckpointException.At(path, found, "the plain name of a .safetensors file in the same folder");
            if (!File.Exists(Beside(shard))) throw CheckpointException.At(path, $"{found}, which is absent", null, "finish the download");
        }

        foreach (var shard in shards) Add(shard, path);
        FileNames.Add(IndexFile);
        foreach (var (name, file) in places)
        {
            if (Tensors.TryGetValue(name, out var found) && Path.GetFileName(found.File.Path) == file) continue;
            throw CheckpointException.At(
                path, $"places tensor {MessageText.Quote(name)} in {MessageText.Quote(file)}, which does not hold it", null,
                "index and shards belong to different exports; fetch both again");
        }
    }

    private void Add(string fileName, string source)
    {
        var file = SafetensorsFile.Open(Beside(fileName));
        _files.Add(file);
        FileNames.Add(fileName);
        foreach (var (name, entry) in file.Tensors)
        {
            if (Tensors.TryAdd(name, (file, entry))) continue;
            var first = Path.GetFileName(Tensors[name].File.Path);
            throw CheckpointException.At(
                source, $"tensor {MessageText.Quote(name)} lies in both {first} and {fileName}", "each tensor once",
                "the folder mixes two exports; fetch it again");
        }
    }

    private string Beside(string name) => Path.Combine(_folder, name);
}
