#include <unistd.h>

#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/files.h"
#include "cli/invocation.h"
#include "cli/wire_text.h"
#include "crypto/system_random.h"
#include "latchkey/v1/key_admin.pb.h"
#include "latchkey/v1/key_wrap.pb.h"
#include "protocol/sealed_item.h"

namespace latchkey::cli {
namespace {

struct KeyOptions {
  std::string name;
  std::string policy;
  std::vector<std::string> required_context;
  std::vector<std::string> labels;
  std::vector<std::string> context;
  std::string in = "-";
  std::string out;
  uint32_t size = 32;
};

absl::StatusOr<protocol::KeyName> FullName(const Settings& settings, const std::string& name) {
  return protocol::ParseKeyName(name, settings.tenant);
}

Record ToRecord(const v1::Key& key) {
  Record versions = Record::array();
  for (const v1::KeyVersion& version : key.versions()) {
    versions.push_back(absl::StrCat(version.number(), " ", StateWord(version.state()), " since ",
                                    TimeText(version.create_time())));
  }
  Record labels = Record::object();
  for (const auto& [name, value] : std::map(key.labels().begin(), key.labels().end())) {
    labels[name] = value;
  }
  return {{"name", key.name()},
          {"policy", key.charter().policy()},
          {"min_policy_revision", key.charter().min_policy_revision()},
          {"required_context",
           Record(std::vector<std::string>(key.charter().required_context().begin(),
                                           key.charter().required_context().end()))},
          {"primary_version", key.primary_version()},
          {"versions", versions},
          {"labels", labels},
          {"root", key.root()},
          {"created", TimeText(key.create_time())},
          {"etag", key.etag()}};
}

absl::Status Create(const Invocation& invocation, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::KeyName name, FullName(settings, options.name));
  ASSIGN_OR_RETURN(const protocol::Context labels, ParsePairs("--label", options.labels));
  v1::CreateKeyRequest request;
  request.set_name(name.Full());
  request.mutable_charter()->set_policy(options.policy);
  for (const std::string& context : options.required_context) {
    request.mutable_charter()->add_required_context(context);
  }
  request.mutable_labels()->insert(labels.begin(), labels.end());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::CreateKeyResponse response;
  RETURN_IF_ERROR(admin->Call("KeyAdmin/CreateKey", request, response));
  PrintRecord(invocation.format(), ToRecord(response.key()));
  return absl::OkStatus();
}

absl::Status Rotate(const Invocation& invocation, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::KeyName name, FullName(settings, options.name));
  v1::RotateKeyRequest request;
  request.set_name(name.Full());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::RotateKeyResponse response;
  RETURN_IF_ERROR(admin->Call("KeyAdmin/RotateKey", request, response));
  PrintRecord(invocation.format(), ToRecord(response.key()));
  return absl::OkStatus();
}

absl::Status Show(const Invocation& invocation, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::KeyName name, FullName(settings, options.name));
  v1::GetKeyRequest request;
  request.set_name(name.Full());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::GetKeyResponse response;
  RETURN_IF_ERROR(admin->Call("KeyAdmin/GetKey", request, response));
  PrintRecord(invocation.format(), ToRecord(response.key()));
  return absl::OkStatus();
}

absl::Status List(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::ListKeysRequest request;
  request.set_tenant(settings.tenant);
  Record rows = Record::array();
  do {
    v1::ListKeysResponse response;
    RETURN_IF_ERROR(admin->Call("KeyAdmin/ListKeys", request, response));
    for (const v1::Key& key : response.keys()) {
      rows.push_back({{"name", key.name()},
                      {"policy", key.charter().policy()},
                      {"primary_version", key.primary_version()},
                      {"versions", key.versions_size()},
                      {"created", TimeText(key.create_time())}});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  PrintRecords(invocation.format(), rows);
  return absl::OkStatus();
}

// The wrapped DEK is no secret: raw to a file, or base64 to standard output.
absl::Status Deliver(const std::string& out, const Bytes& wrapped_dek, const std::string& version) {
  PrintNote(absl::StrCat("wrapped under ", version));
  if (!out.empty()) return WriteTextFile(out, wrapped_dek);
  const std::string line = Base64Encode(AsBytes(wrapped_dek)) + "\n";
  return WriteAll(STDOUT_FILENO, AsBytes(line));
}

absl::Status Generate(const Invocation& invocation, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::KeyName name, FullName(settings, options.name));
  ASSIGN_OR_RETURN(const protocol::Context context, ParsePairs("--context", options.context));
  v1::GenerateDataKeyRequest request;
  request.set_key(name.Full());
  request.mutable_context()->insert(context.begin(), context.end());
  request.set_size_bytes(options.size);
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::GenerateDataKeyResponse response;
  RETURN_IF_ERROR(admin->Call("KeyWrap/GenerateDataKey", request, response));
  return Deliver(options.out, response.wrapped_dek(), response.key_version());
}

absl::Status Wrap(const Invocation& invocation, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::KeyName name, FullName(settings, options.name));
  ASSIGN_OR_RETURN(const protocol::Context context, ParsePairs("--context", options.context));
  ASSIGN_OR_RETURN(const SecretBytes dek, ReadDek(options.in));
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::GetWrappingKeyResponse wrapping;
  RETURN_IF_ERROR(admin->Call("KeyWrap/GetWrappingKey", v1::GetWrappingKeyRequest(), wrapping));
  if (wrapping.recipient().scheme() != v1::RECIPIENT_SCHEME_HPKE_X25519) {
    return absl::UnimplementedError("the broker's wrapping key is of a scheme this program lacks");
  }
  crypto::SystemRandom random;
  v1::WrapKeyRequest request;
  request.set_key(name.Full());
  request.mutable_context()->insert(context.begin(), context.end());
  ASSIGN_OR_RETURN(*request.mutable_encrypted_dek(),
                   protocol::EncryptDekForWrap(AsBytes(wrapping.recipient().public_key()), name,
                                               context, dek, random));
  v1::WrapKeyResponse response;
  RETURN_IF_ERROR(admin->Call("KeyWrap/WrapKey", request, response));
  return Deliver(options.out, response.wrapped_dek(), response.key_version());
}

using Verb = absl::Status (*)(const Invocation&, const KeyOptions&);

CLI::App* AddVerb(CLI::App& key, Invocation& invocation, const std::shared_ptr<KeyOptions>& options,
                  const std::string& name, const std::string& description, Verb verb,
                  const std::string& example) {
  CLI::App* app = key.add_subcommand(name, description);
  app->add_option("NAME", options->name, "key: NAME or tenants/T/keys/NAME")->required();
  app->callback([&invocation, options, verb] {
    invocation.run = [&invocation, options, verb] { return verb(invocation, *options); };
  });
  app->footer("Example:\n  " + example);
  return app;
}

void AddWrapOptions(CLI::App* app, KeyOptions& options) {
  app->add_option("--context", options.context,
                  "name=value, authenticated with the DEK; repeatable")
      ->take_all()
      ->expected(1);
  app->add_option("--out", options.out,
                  "file for the wrapped DEK; default: base64 to standard output");
}

}  // namespace

void AddKey(CLI::App& app, Invocation& invocation) {
  CLI::App* key = app.add_subcommand("key", "Master keys, and DEKs wrapped under them");
  key->require_subcommand(1);
  const auto options = std::make_shared<KeyOptions>();

  CLI::App* create = AddVerb(
      *key, invocation, options, "create", "Make a key that releases only under a policy", Create,
      "latchkey key create payments --policy payments-prod --context-required environment");
  create->add_option("--policy", options->policy, "release policy it is bound to")->required();
  create
      ->add_option("--context-required", options->required_context,
                   "context name that every wrap and release must have; repeatable")
      ->take_all()
      ->expected(1);
  create->add_option("--label", options->labels, "name=value; repeatable")->take_all()->expected(1);

  AddVerb(*key, invocation, options, "rotate", "Add a version and make it primary", Rotate,
          "latchkey key rotate payments");
  AddVerb(*key, invocation, options, "show", "Show one key", Show,
          "latchkey key show payments -o yaml");

  CLI::App* list = key->add_subcommand("list", "List the tenant's keys");
  list->callback([&invocation] { invocation.run = [&invocation] { return List(invocation); }; });
  list->footer("Example:\n  latchkey key list -o json");

  CLI::App* generate = AddVerb(
      *key, invocation, options, "generate", "Make a DEK; only its wrapped form comes back",
      Generate, "latchkey key generate payments --context environment=prod --out payments.dek");
  AddWrapOptions(generate, *options);
  generate->add_option("--size", options->size, "bytes of the DEK: 16, 24, 32 or 64")
      ->check(CLI::IsMember({16, 24, 32, 64}));

  CLI::App* wrap = AddVerb(
      *key, invocation, options, "wrap",
      "Wrap a DEK you have; it travels encrypted to the broker's wrapping key", Wrap,
      "latchkey key wrap payments --in dek.bin --context environment=prod --out payments.dek");
  AddWrapOptions(wrap, *options);
  wrap->add_option("--in", options->in,
                   "file with the raw DEK, mode 0600 or less; `-`: standard input");
}

}  // namespace latchkey::cli
