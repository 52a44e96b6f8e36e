using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>An adapter as Hugging Face's PEFT reads it: a folder of two files.</summary>
public static class PeftAdapter
{
    public const string WeightsName = "adapter_model.safetensors";
    public const string ConfigName = "adapter_config.json";

    /// <summary>The weights; the same state always gives the same bytes.</summary>
    /// <exception cref="AdapterException">The architecture's layout is not known.</exception>
    public static SafetensorsWriter Weights(AdapterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        HuggingFaceLayout.RequireKnown(state.Base);
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "pt");
        foreach (var matrix in state.Matrices)
        {
            var name = $"base_model.model.{matrix.Module}";
            writer.Add($"{name}.lora_A.weight", SafetensorsType.F32, matrix.A.Shape, matrix.A.WriteTo);
            writer.Add(
                $"{name}.lora_B.weight",
                SafetensorsType.F32,
                matrix.B.Shape,
                stream => SafetensorsWriter.WriteSingles(stream, HuggingFaceLayout.OutputsOf(state, matrix))
            );
        }
        return writer;
    }

    /// <summary>The configuration, as UTF-8.</summary>
    /// <param name="baseName">What its reader is told to load the base by.</param>
    public static byte[] Config(AdapterForm form, string baseName)
    {
        ArgumentNullException.ThrowIfNull(form);
        return AdapterJson.Of(json =>
        {
            json.WriteString("peft_type", "LORA");
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteString("base_model_name_or_path", baseName);
            json.WriteNumber("r", form.Rank);
            json.WriteNumber("lora_alpha", form.Alpha);
            json.WriteNumber("lora_dropout", 0);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("use_rslora", false);
            json.WriteBoolean("use_dora", false);
            json.WriteNull("modules_to_save");
            AdapterJson.WriteTexts(json, "target_modules", form.InOrder.Select(ModuleName));
        });
    }

    /// <summary>PEFT finds modules by the end of their path.</summary>
    private static string ModuleName(string target) => AdapterModules.Of(target).Split('.')[^1];
}
