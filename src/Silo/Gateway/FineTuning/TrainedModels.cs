using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Silo.Gateway.Checkpoints;
using EgpuFleet.Silo.Gateway.Native;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>
/// What fine-tuning runs learnt, as models that are served and as files for other tools. Everything is made beside its
/// place and read again as a file from outside would be; a model is registered when its file is on disk under its hash, so
/// that a crash between any two steps leaves at most a file that nobody names. The same checkpoint gives the same bytes.
/// </summary>
internal sealed class TrainedModels(
    ICheckpointStore checkpoints,
    ILedger ledger,
    ModelStore store,
    ModelReading reading,
    Fleet fleet
) : IDisposable
{
    /// <summary>One at a time: each takes as much disk as the weights, twice.</summary>
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>The checkpoint of that id with what its run trains.</summary>
    /// <exception cref="GatewayException">There is none, or it cannot be exported.</exception>
    public async Task<TrainedCheckpoint> FindAsync(string id, CancellationToken cancellationToken)
    {
        var record =
            await checkpoints.FindAsync(CheckpointAnswers.Id(id), cancellationToken)
            ?? throw CheckpointAnswers.Unknown(id);
        return TrainedCheckpoint.Of(record, await ledger.FindJobAsync(record.Shard.Job, cancellationToken));
    }

    /// <summary>Registers a checkpoint under the name of its run and step. The same again changes nothing.</summary>
    public async Task<ModelInfo> ServeAsync(string id, CancellationToken cancellationToken)
    {
        var trained = await FindAsync(id, cancellationToken);
        return FleetViews.Show(await PublishAsync(trained, trained.StepName, cancellationToken));
    }

    /// <summary>Makes the model's file, keeps it, and registers it.</summary>
    public async Task<ModelRecord> PublishAsync(
        TrainedCheckpoint trained,
        string name,
        CancellationToken cancellationToken
    )
    {
        if (!ModelNames.IsValid(name))
            throw GatewayException.Invalid("name", ModelNames.Rule);
        return await WithStateAsync(
            trained,
            async (state, model) =>
            {
                await using var made = store.Receive();
                await made.WriteAsync(file => Gguf(trained, state, model).WriteTo(file), cancellationToken);
                var record = await reading.ReadAsync(name, made.File);
                record = record with { Ref = record.Ref with { Sha256 = made.Keep() } };
                if (await fleet.Models.Find(name) is { } known && known.Ref == record.Ref)
                    return known;
                await fleet.Models.Add(record);
                return record;
            },
            cancellationToken
        );
    }

    /// <summary>One file of a format, streamed.</summary>
    /// <exception cref="GatewayException">404: no such file; 422: the format cannot express what was trained.</exception>
    public async Task SendAsync(
        string id,
        string format,
        string file,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (!CheckpointExports.Files.TryGetValue(format, out var files) || !files.Contains(file))
            throw GatewayException.NotFound($"There is no file {file} of the format {format}.");
        var trained = await FindAsync(id, cancellationToken);
        await WithStateAsync(
            trained,
            async (state, model) =>
            {
                await using var made = store.Receive();
                await made.WriteAsync(Export(trained, state, model, format, file), cancellationToken);
                made.File.Position = 0;
                response.ContentType = "application/octet-stream";
                response.ContentLength = made.File.Length;
                await made.File.CopyToAsync(response.Body, cancellationToken);
                return true;
            },
            cancellationToken
        );
    }

    public void Dispose() => turn.Dispose();

    private async Task<T> WithStateAsync<T>(
        TrainedCheckpoint trained,
        Func<SafetensorsFile, GgufReader, Task<T>> use,
        CancellationToken cancellationToken
    )
    {
        var path =
            store.Find(trained.Base.Sha256)
            // A file lies on the silo that received it: an agent asks the next one.
            ?? throw new GatewayException(
                HttpStatusCode.NotFound,
                "base_model_missing",
                $"The file of {trained.Base.Name} is not on this silo."
            );
        await turn.WaitAsync(cancellationToken);
        try
        {
            await using var file = store.Receive();
            await CheckpointFile.WriteAsync(
                checkpoints,
                trained.Record,
                trained.Base.Sha256,
                file.File,
                cancellationToken
            );
            using var state = SafetensorsFile.Open(file.File);
            await using var model = File.OpenRead(path);
            return await use(state, GgufReader.Open(model));
        }
        catch (AdapterException e)
        {
            throw Unprocessable(e.Code, e.Message);
        }
        catch (SafetensorsException e)
        {
            throw Unprocessable(e.Code, e.Message);
        }
        catch (IOException e) when (ModelUpload.IsDiskFull(e))
        {
            throw ModelUpload.DiskFull();
        }
        finally
        {
            turn.Release();
        }
    }

    private static GgufWriter Gguf(TrainedCheckpoint trained, SafetensorsFile state, GgufReader model) =>
        trained.Form is { } form
            ? GgufAdapter.Describe(Adapter(trained, form, state, model))
            : RetrainedModel.Describe(
                model,
                trained.Base.Sha256,
                state,
                half: GgufModelFacts.From(model).FileType != "F32"
            );

    private static Action<Stream> Export(
        TrainedCheckpoint trained,
        SafetensorsFile state,
        GgufReader model,
        string format,
        string file
    )
    {
        if (format == "gguf")
            return Gguf(trained, state, model).WriteTo;
        if (trained.Form is not { } form)
            throw Unprocessable("no_adapter", "Every weight was trained: there is no adapter; export it as gguf.");
        var adapter = Adapter(trained, form, state, model);
        return (format, file) switch
        {
            ("peft", PeftAdapter.WeightsName) => PeftAdapter.Weights(adapter).WriteTo,
            ("peft", _) => stream => stream.Write(PeftAdapter.Config(form, trained.Base.Name)),
            (_, MlxAdapter.WeightsName) => MlxAdapter.Weights(adapter).WriteTo,
            _ => stream => stream.Write(MlxAdapter.Config(form, adapter.Base.Layers, trained.Base.Name)),
        };
    }

    private static AdapterState Adapter(
        TrainedCheckpoint trained,
        AdapterForm form,
        SafetensorsFile state,
        GgufReader model
    ) => AdapterState.Read(state, AdapterBase.From(model, trained.Base.Sha256), form);

    private static GatewayException Unprocessable(string code, string text) =>
        new(HttpStatusCode.UnprocessableEntity, code, text);
}
