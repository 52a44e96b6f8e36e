using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>An adapter as mlx-lm reads it: a folder of two files, its matrices transposed and its scale a number of its own.</summary>
public static class MlxAdapter
{
    public const string WeightsName = "adapters.safetensors";
    public const string ConfigName = "adapter_config.json";

    /// <summary>The weights; the same state always gives the same bytes.</summary>
    /// <exception cref="AdapterException">The architecture's layout is not known.</exception>
    public static SafetensorsWriter Weights(AdapterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        HuggingFaceLayout.RequireKnown(state.Base);
        var rank = state.Form.Rank;
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "mlx");
        foreach (var matrix in state.Matrices)
        {
            var (inputs, outputs) = ((int)matrix.A.Shape[1], (int)matrix.B.Shape[0]);
            writer.Add(
                $"{matrix.Module}.lora_a",
                SafetensorsType.F32,
                [inputs, rank],
                stream => Write(stream, matrix.A.Values(), rank, inputs)
            );
            writer.Add(
                $"{matrix.Module}.lora_b",
                SafetensorsType.F32,
                [rank, outputs],
                stream => Write(stream, HuggingFaceLayout.OutputsOf(state, matrix), outputs, rank)
            );
        }
        return writer;
    }

    /// <summary>The configuration, as UTF-8.</summary>
    /// <param name="layers">Blocks of the base; each has the adapter.</param>
    /// <param name="baseName">What its reader is told to load the base by.</param>
    public static byte[] Config(AdapterForm form, int layers, string baseName)
    {
        ArgumentNullException.ThrowIfNull(form);
        return AdapterJson.Of(json =>
        {
            json.WriteString("fine_tune_type", "lora");
            json.WriteString("model", baseName);
            json.WriteNumber("num_layers", layers);
            json.WriteStartObject("lora_parameters");
            json.WriteNumber("rank", form.Rank);
            json.WriteNumber("scale", form.Scale);
            json.WriteNumber("dropout", 0);
            AdapterJson.WriteTexts(json, "keys", form.InOrder.Select(AdapterModules.Of));
            json.WriteEndObject();
        });
    }

    private static void Write(Stream stream, float[] values, int rows, int columns) =>
        SafetensorsWriter.WriteSingles(stream, AdapterFloats.Transposed(values, rows, columns));
}
