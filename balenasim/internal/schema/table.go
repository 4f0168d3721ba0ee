package schema

// The table of resources. Names, types and order of the fields are those that
// open-balena-api 49.0.12 returns without $select; navigations are those of its
// v7.sbvr and v6.sbvr.

func id() Field       { return Field{Name: "id", Type: Int} }
func created() Field  { return Field{Name: "created_at", Type: Time} }
func modified() Field { return Field{Name: "modified_at", Type: Time} }

func text(name string) Field    { return Field{Name: name, Type: Text} }
func integer(name string) Field { return Field{Name: name, Type: Int} }
func boolean(name string) Field { return Field{Name: name, Type: Bool} }
func date(name string) Field    { return Field{Name: name, Type: Time} }
func json(name string) Field    { return Field{Name: name, Type: JSON} }

func ref(name, to, reverse string) Field {
	return Field{Name: name, Type: Ref, To: to, Reverse: reverse}
}

func (f Field) unique() Field            { f.Unique = true; return f }
func (f Field) computed() Field          { f.Computed = true; return f }
func (f Field) alias(name string) Field  { f.Alias = name; return f }
func (f Field) v6(name string) Field     { f.V6 = name; return f }
func (f Field) v6Type(t Type) Field      { f.V6Type, f.V6Typed = t, true; return f }
func (f Field) notInV6() Field           { f.V6 = "-"; return f }
func (f Field) v6Only() Field            { f.V6Only = true; f.Computed = true; return f }
func (f Field) required() Field          { f.Required = true; return f }
func (f Field) v6Reverse(n string) Field { f.V6Reverse = n; return f }

// actor is a reference to the actor of a user, a device or a fleet. Nobody can
// read actors.
func actor() Field { return Field{Name: "actor", Type: Ref, To: "actor"}.v6Type(Int) }

// variable is a resource of variables of a parent.
func variable(name, parent, fact string) Resource {
	return Resource{Name: name, Fact: parent + "__has__" + fact, Keys: [][]string{{parent, "name"}}, Fields: []Field{
		created(), modified(), ref(parent, parent, "").required(), text("name"), id(), text("value"),
	}}
}

func configVariable(name, parent string) Resource {
	r := variable(name, parent, "config_var_name")
	r.V6Fact = parent + "__has__name"
	return r
}

func tag(name, parent string) Resource { return labelled(name, parent, "tag_key") }

func labelled(name, parent, key string) Resource {
	return Resource{Name: name, Fact: parent + "__has__" + key, Keys: [][]string{{parent, key}}, Fields: []Field{
		created(), modified(), ref(parent, parent, "").required(), text(key), id(), text("value"),
	}}
}

var resources = []Resource{
	{Name: "device", Fields: []Field{
		created(), modified(), id(), actor(),
		text("api_heartbeat_state"),
		date("changed_api_heartbeat_state_on__date").notInV6(),
		text("uuid").unique(), text("local_id"), text("device_name"), text("note"),
		ref("is_of__device_type", "device_type", "describes__device has__device"),
		ref("belongs_to__application", "application", "owns__device").required(),
		boolean("is_online"), date("last_connectivity_event"),
		boolean("is_connected_to_vpn"), date("last_vpn_event"),
		date("is_locked_until__date"),
		text("logs_channel").v6Only(),
		text("public_address"),
		text("vpn_address").v6Only(),
		text("ip_address"), text("mac_address"),
		boolean("is_web_accessible"),
		integer("memory_usage"), integer("memory_total"),
		text("storage_block_device"), integer("storage_usage"), integer("storage_total"),
		integer("cpu_usage"), integer("cpu_temp"),
		boolean("is_undervolted"), text("cpu_id"),
		ref("is_running__release", "release", "is_running_on__device"),
		integer("download_progress"), text("status"),
		text("os_version"), text("os_variant"),
		text("overall_status").computed(), integer("overall_progress").computed(),
		text("supervisor_version"),
		integer("provisioning_progress"), text("provisioning_state"),
		integer("api_port"), text("api_secret"),
		ref("is_managed_by__service_instance", "service_instance", "manages__device"),
		// In v6 the pin has the name that the effective target has in v7.
		ref("is_pinned_on__release", "release", "is_pinned_to__device").
			v6("should_be_running__release").v6Reverse("should_be_running_on__device"),
		ref("should_be_running__release", "release", "should_be_running_on__device").computed().notInV6(),
		ref("should_be_operated_by__release", "release", "should_operate__device"),
		ref("should_be_managed_by__release", "release", "should_manage__device").notInV6(),
		ref("is_managed_by__device", "device", "manages__device").v6Only(),
		text("update_status"), date("last_update_status_event"),
	}},
	{Name: "application", Fields: []Field{
		created(), modified(), id(), actor(),
		boolean("should_track_latest_release"), text("is_of__class"),
		ref("organization", "organization", "has__application is_of__application").required(),
		text("app_name"), text("slug").unique(),
		ref("is_for__device_type", "device_type", "is_default_for__application"),
		ref("should_be_running__release", "release", "should_be_running_on__application"),
		ref("depends_on__application", "application", "is_depended_on_by__application").v6Only(),
		ref("application_type", "application_type", "is_of__application"),
		boolean("is_host"), boolean("is_archived"), text("uuid").unique(), boolean("is_public"),
	}},
	{Name: "release", Fields: []Field{
		created(), modified(), id(),
		ref("belongs_to__application", "application", "owns__release").required(),
		text("commit"), json("composition"), text("status"), text("source"), text("build_log"),
		boolean("is_invalidated"),
		date("start_timestamp"), date("end_timestamp"), date("update_timestamp"),
		text("release_version"), json("contract").v6Type(Text),
		boolean("is_passing_tests"), text("release_type").v6Only(),
		date("is_finalized_at__date"), text("phase"),
		boolean("is_final").computed(), text("semver").computed(),
		integer("semver_major"), integer("semver_minor"), integer("semver_patch"),
		text("semver_prerelease"), text("semver_build"), text("variant"), integer("revision"),
		text("raw_version").computed(), json("version").computed(),
		text("known_issue_list"), text("note"), text("invalidation_reason"),
	}},
	{Name: "image", Fields: []Field{
		created(), modified(), id(),
		date("start_timestamp"), date("end_timestamp"), text("dockerfile"),
		ref("is_a_build_of__service", "service", "is_built_by__image").required(),
		// The size is a number in v6 and a string in v7.
		{Name: "image_size", Type: BigInt, V6Type: Int, V6Typed: true},
		text("is_stored_at__image_location").unique(), text("project_type"),
		text("error_message"), text("build_log"), date("push_timestamp"),
		text("status"), text("content_hash"), json("contract"),
	}},
	{Name: "release_image", Fact: "image__is_part_of__release", Inverse: "contains__image",
		Keys: [][]string{{"image", "is_part_of__release"}}, Fields: []Field{
			created(), modified(),
			ref("image", "image", "").required(),
			ref("is_part_of__release", "release", "").required().alias("release"), id(),
		}},
	{Name: "gateway_download", Fact: "image__is_downloaded_by__device", Inverse: "downloads__image", V6Only: true,
		Keys: [][]string{{"image", "is_downloaded_by__device"}}, Fields: []Field{
			created(),
			ref("image", "image", "").required(),
			ref("is_downloaded_by__device", "device", "").required().alias("device"), id(),
			text("status"), integer("download_progress"),
		}},
	{Name: "image_install", Fact: "device__installs__image", Keys: [][]string{{"device", "installs__image"}}, Fields: []Field{
		created(), modified(),
		ref("device", "device", "").required(),
		ref("installs__image", "image", "").required().alias("image"), id(),
		date("install_date"), integer("download_progress"), text("status"),
		ref("is_provided_by__release", "release", "provides__image_install").required(),
	}},
	{Name: "service", Fact: "application__has__service_name", Keys: [][]string{{"application", "service_name"}}, Fields: []Field{
		created(), modified(),
		ref("application", "application", "").required(), text("service_name"), id(),
	}},
	{Name: "service_install", Fact: "device__installs__service", Keys: [][]string{{"device", "installs__service"}}, Fields: []Field{
		created(), modified(),
		ref("device", "device", "").required(),
		ref("installs__service", "service", "").required().alias("service"), id(),
	}},
	variable("application_environment_variable", "application", "env_var_name"),
	configVariable("application_config_variable", "application"),
	variable("device_environment_variable", "device", "env_var_name"),
	configVariable("device_config_variable", "device"),
	variable("service_environment_variable", "service", "name"),
	variable("device_service_environment_variable", "service_install", "name"),
	variable("image_environment_variable", "release_image", "name"),
	tag("application_tag", "application"),
	tag("device_tag", "device"),
	tag("release_tag", "release"),
	labelled("service_label", "service", "label_name"),
	labelled("image_label", "release_image", "label_name"),
	{Name: "release_asset", Fact: "release__has__asset_key", NotInV6: true, Keys: [][]string{{"release", "asset_key"}}, Fields: []Field{
		created(), modified(), ref("release", "release", "").required(),
		text("asset_key"), id(), json("asset"),
	}},
	{Name: "organization", Fields: []Field{
		created(), modified(), id(), text("name"), text("handle").unique(),
	}},
	{Name: "application_type", Fields: []Field{
		created(), modified(), id(), text("name"),
		boolean("supports_web_url"), boolean("supports_multicontainer"),
		boolean("supports_gateway_mode"), text("needs__os_version_range"),
		boolean("requires_payment"), boolean("is_legacy"), text("slug").unique(),
		text("description"), integer("maximum_device_count"),
	}},
	{Name: "device_type", Fields: []Field{
		created(), modified(), id(), text("slug").unique(), text("name"),
		ref("is_of__cpu_architecture", "cpu_architecture", "is_supported_by__device_type has__device_type").
			alias("supports__cpu_architecture"),
		text("logo"), json("contract"),
		ref("belongs_to__device_family", "device_family", "has__device_type"),
	}},
	{Name: "cpu_architecture", Fields: []Field{
		created(), modified(), id(), text("slug").unique(),
	}},
	{Name: "device_family", Fields: []Field{
		created(), modified(), id(), text("slug").unique(), text("name"),
		ref("is_manufactured_by__device_manufacturer", "device_manufacturer", ""),
	}},
	{Name: "device_manufacturer", Fields: []Field{
		created(), modified(), id(), text("slug").unique(), text("name"),
	}},
	{Name: "device_type_alias", Fact: "device_type__is_referenced_by__alias", Fields: []Field{
		created(), modified(), ref("device_type", "device_type", "").required(),
		text("is_referenced_by__alias").unique(), id(),
	}},
	{Name: "service_instance", Fields: []Field{
		created(), modified(), id(), text("service_type"), text("ip_address"), date("last_heartbeat"),
	}},
	{Name: "user", Fields: []Field{
		created(), modified(), id(), actor(), text("username").unique(),
		text("password"), text("jwt_secret"), text("email"),
	}},
	{Name: "user_public_key", Fact: "user__has__public_key", Fields: []Field{
		created(), modified(), ref("user", "user", "").required(), text("public_key"), id(), text("title"),
	}},
	{Name: "organization_membership", Fact: "user__is_member_of__organization", Inverse: "includes__user",
		Keys: [][]string{{"user", "is_member_of__organization"}}, Fields: []Field{
			created(), modified(), ref("user", "user", "").required(),
			ref("is_member_of__organization", "organization", "").required().alias("organization"), id(),
		}},
	{Name: "api_key", Fields: []Field{
		created(), modified(), id(), text("key").unique(), date("expiry_date"),
		Field{Name: "is_of__actor", Type: Ref, To: "actor"}, text("name"), text("description"),
	}},
	// The virtual resource behind application.is_directly_accessible_by__user,
	// whose rows have no id.
	{Name: "user__has_direct_access_to__application", Fact: "user__has_direct_access_to__application",
		Inverse: "is_directly_accessible_by__user", Hidden: true, Fields: []Field{
			id(), ref("user", "user", "").required(),
			ref("has_direct_access_to__application", "application", "").required(),
		}},
}
