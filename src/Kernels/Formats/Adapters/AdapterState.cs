using System.Globalization;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>One matrix's adapter within a trained state.</summary>
/// <param name="Target">GGUF name of the matrix without prefix and suffix.</param>
/// <param name="A">[rank, inputs].</param>
/// <param name="B">[outputs, rank].</param>
public sealed record AdapterMatrix(int Layer, string Target, AdapterPart A, AdapterPart B)
{
    /// <summary>Tensor that it is put beside.</summary>
    public string GgufName => $"blk.{Layer.ToString(CultureInfo.InvariantCulture)}.{Target}.weight";

    /// <summary>The same within a Hugging Face model.</summary>
    internal string Module =>
        $"model.layers.{Layer.ToString(CultureInfo.InvariantCulture)}.{AdapterModules.Of(Target)}";
}

/// <summary>
/// The adapter in a trained state: every pair that base and form call for is there in its shape, all its weights are
/// numbers, and there is nothing else but the optimizer's moments. An A that was frozen is not in the state; it is made
/// again.
/// </summary>
public sealed class AdapterState
{
    private AdapterState(AdapterBase model, AdapterForm form, IReadOnlyList<AdapterMatrix> all)
    {
        Base = model;
        Form = form;
        Matrices = all;
    }

    public AdapterBase Base { get; }

    public AdapterForm Form { get; }

    /// <summary>By layer, then in the order of a block.</summary>
    public IReadOnlyList<AdapterMatrix> Matrices { get; }

    /// <summary>Reads the whole state once. The file stays the caller's, and is needed as long as this is.</summary>
    /// <exception cref="AdapterException">It is not the state of such an adapter.</exception>
    /// <exception cref="SafetensorsException">The file has become shorter.</exception>
    public static AdapterState Read(SafetensorsFile file, AdapterBase model, AdapterForm form)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(form);
        TrainedState.RequireBase(file, model.Sha256);
        var matrices = new List<AdapterMatrix>();
        var trained = new HashSet<string>(StringComparer.Ordinal);
        for (var layer = 0; layer < model.Layers; layer++)
        {
            foreach (var target in form.InOrder)
            {
                var name = $"blk.{layer.ToString(CultureInfo.InvariantCulture)}.{target}";
                if (model.Matrices.TryGetValue(name + ".weight", out var size))
                    matrices.Add(
                        new AdapterMatrix(layer, target, A(name + ".lora_a", size), B(name + ".lora_b", size))
                    );
            }
        }
        if (matrices.Count == 0)
            throw new AdapterException(AdapterFault.State, "The base model has none of the adapter's matrices.");
        TrainedState.RequireNothingElse(file, trained);
        return new AdapterState(model, form, matrices);

        AdapterPart A(string name, (long Inputs, long Outputs) size) =>
            form.FrozenSeed is { } seed
                ? AdapterPart.Start(seed, name, form.Rank, size.Inputs)
                : Trained(name, [form.Rank, size.Inputs]);

        AdapterPart B(string name, (long Inputs, long Outputs) size) => Trained(name, [size.Outputs, form.Rank]);

        AdapterPart Trained(string name, long[] shape)
        {
            trained.Add(name);
            return AdapterPart.Trained(file, name, shape);
        }
    }
}
