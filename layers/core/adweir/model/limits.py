"""Every bound on what can grow, in one place: the unit is in the name, the reason beside it.

Code reads a bound as `limits.NAME`, before a write and after a read. A platform's own bounds (page sizes, report
windows) are facts of that platform and stay in its folder. tests/unit/test_limits.py fails when a name of this file
has no test at the bound and one past it.
"""

# --- HTTP doors -------------------------------------------------------------------------------------------------
MAX_BODY_BYTES = 1 << 20  # a request's or delivery's body; Lambda would take 6 MiB, a door answers in seconds
MAX_PAGE_ITEMS = 1000  # items per page of a list: one DynamoDB query of small items
MAX_LIST_FILTER_CHARS = 2000  # one filter of a list: about a hundred ids; a gateway takes URLs of some thousands
MAX_PAGE_TOKEN_CHARS = 2048  # next_token: the two keys that a page ended at, as base64
MAX_REQUEST_FAULTS = 50  # invalid fields listed in one answer
MAX_WARNINGS = 10  # warnings in one answer
MAX_NAME_CHARS = 200  # a company's or report's name
MAX_EMAIL_CHARS = 254  # an e-mail address: the longest that SMTP can carry (RFC 5321)
MAX_KEY_NAME_CHARS = 100  # an API key's name
MAX_WORD_CHARS = 64  # a data type, metric or dimension by its name
MAX_SCOPE_NAMES = 100  # names per part of a run's scope: accounts, platforms, profiles, datasets
MIN_SECRET_CHARS = 16  # a webhook secret: 128 bits where it is random
MIN_VERIFY_TOKEN_CHARS = 8  # a handshake's token: it proves nothing about a delivery
MAX_PATH_ID_CHARS = 128  # an id in a URL's path; our own ids have 24, a delivery's run id about 60
MAX_CAMPAIGNS = 200  # cross-platform campaigns of a client: a change of what one is bound to reads all of them
MAX_KEPT_CAMPAIGNS = 2000  # the same with those that were deleted: a small item stays of each
MAX_FILTER_CAMPAIGNS = 100  # cross-platform campaigns and arms that a filter names: two reads each, half a second
MAX_CLAIMED_SUMS = 500_000  # bound objects and days of an ad account from which an answer subtracts others: 200 MB
MAX_CAMPAIGN_ARMS = 50  # arms of a cross-platform campaign: they are in its item
MAX_CAMPAIGN_BINDINGS = 300  # objects that a campaign and its arms are bound to: each level of them is read by itself
MAX_CAMPAIGN_BYTES = 200_000  # a campaign with its arms as JSON; its item, of at most 400 kB, may need more
MAX_CHANNEL_RULES = 50  # of the channels of a media mix: a model with more columns has too few rows
MAX_CHANNEL_WORDS = 50  # ad products, objectives or names of one rule
MAX_KEY_ACCOUNTS = 100  # client companies that a key may be limited to: 2.5 kB of the authorizer's answer
MAX_KEY_OVERLAP_HOURS = 168  # after a rotation both values of a key work: a week is enough to change every caller
MAX_NOTED_KEYS = 1000  # keys whose last use one container remembers
MAX_LOGGED_BODY_BYTES = 2048  # of a request's or answer's body in the API log: the beginning says what it was
MAX_LOGGED_CALLS = 200  # calls of platforms that one invocation logs, and as many failed ones after them: 160 kB
MAX_CALLS_TOGETHER = 50  # calls in an item of the API log: 220 kB where nothing can be packed, mostly 20 kB
MAX_CALL_LOG_BYTES = 4 << 20  # packed calls that one page of the API log looks at: 0.5 s
MAX_CALLS_SHOWN = 200  # calls per page: two bodies each, so 1.8 MB
MAX_API_KEY_CHARS = 200  # a key as it is sent, adw_<id>_<secret>: ours have 56
MAX_URL_PARAMETERS = 100  # parameters of a landing page that is taken apart
MAX_UNPARSED_NAMED = 20  # names or landing pages that a finding shows, those with the most spend
MAX_REASON_CHARS = 500  # why a credential is broken, in the platform's words
MIN_CREDENTIAL_SECRET_CHARS = 8  # a secret of a credential: a shorter one could not be told from other text
MAX_MADE_SECRETS = 10  # access tokens and proofs that a connection keeps out of its answers: the newest
MAX_CREDENTIAL_VALUE_CHARS = 4096  # one value of a credential; access tokens of about 2,000 have been seen
MAX_OPTIONS_BYTES = 16_000  # the options of a profile as JSON: they are part of its item
MAX_DELIVERY_ID_CHARS = 256  # webhook-id: part of what is signed
MAX_SIGNATURES = 16  # signatures per delivery: the current secret's and the previous one's, with room
MAX_CLOCK_SKEW_SECONDS = 300  # between the sender of a signed delivery and us, as Standard Webhooks advises
MAX_PUSHED_METRICS = 1000  # metrics per push; more belong into a file
MAX_PUSHED_CAMPAIGNS = 100  # cross-platform campaigns that a push names, its arms' with them: 20 MB of the catalog
MAX_PUSHED_COUNT = 10**12 - 1  # impressions or clicks of one pushed metric; amounts end at MAX_FIGURE_BITS
MAX_PUSH_AGE_DAYS = 30  # how far back a push may reach; older corrections belong into a file
MAX_PUSH_FAULTS = 1000  # faults listed in the answer to one push: one per metric
MAX_PUSH_READS = 10_000  # keys looked up per push or delivery, 100 per request: 1.5 s of the 10 s that the function has
MAX_PUSH_QUERIES = 1000  # ids per push or delivery that each need a query where no two lie close together: 5 s
MAX_TOLD_ENTRIES = 1000  # entries of a platform's own delivery; Meta sends at most as many changes
MAX_COUNTED_LEAD_AGE_DAYS = 80  # of a lead that is counted: the fold that knows it lives for 90 days
MAX_REPULLS_PER_PROFILE = 50  # objects that one notification has pulled singly; with more, the profile is

# --- files ------------------------------------------------------------------------------------------------------
MAX_DROP_BYTES = 1 << 30  # a dropped file as stored in S3: validate has disk for it, and for Parquet twice
MAX_DROP_UNPACKED_BYTES = 2 << 30  # the same file unpacked: what one invocation can read in time
MAX_DROP_RATIO = 200  # unpacked over packed bytes: honest CSV stays below 100, a bomb reaches 1,000
MIN_DROP_UNPACKED_BYTES = 16 << 20  # files that unpack to less need not meet the ratio
MAX_DROP_LINES = 25_000_000  # lines of a dropped file: 1 GiB of short ones; 175 s until they are read (7 us each)
MAX_DROP_SHARES = 50  # loads of a file whose rows take more memory than there is: each reads the file once
MAX_QUARANTINED_NAMED = 20  # quarantined lines that a receipt names; the file in quarantine has all
MAX_DROP_HELD_BYTES = 1 << 30  # memory for a dropped file's rows: 3,000,000 days of some thousand ads take 360 MB
MAX_DROP_COLUMNS = 300  # columns of a dropped file, X has 252: each cell costs time, also in columns that are ignored
MAX_DROP_LINE_BYTES = 64 << 10  # one line of a dropped file, and one record of several lines
MAX_ZIP_DIRECTORY_BYTES = 1 << 20  # the directory of a zip archive: of one file it has some hundred bytes
MAX_DROP_ITEM_BYTES = 1 << 20  # one object of a JSON file
MAX_PARQUET_GROUP_BYTES = 256 << 20  # a row group of a Parquet file, unpacked: what its reader holds at once
MAX_DROP_RECORD_LINES = 200  # lines of one record: notes in exports of orders have some dozen
MAX_STORED_MAPPINGS = 200  # mappings of one account, and of the deployment
MAX_KEPT_MAPPINGS = 2000  # the same with those that were deleted: a small item stays of each
MAX_DROP_GROUPS = 500  # combinations of profile, level and grain per file: each becomes a load of its own
MAX_DROP_AGE_DAYS = 1830  # five years: how far back a file may reach
MAX_DROPPED_BILL_LINES = 200_000  # lines of a file of invoices, held in memory: about 300 MB
MAX_DROPPED_REFERENCES = 200_000  # lines of a file of reference data, held in memory: about 200 MB
MAX_MAPPING_NAMES = 100  # names of a column in a mapping, and rules, constants and empty texts of it
MAX_MAPPING_CHARS = 60_000  # a mapping as JSON: the largest that comes with adweir has a fifth
MAX_PREAMBLE_LINES = 100  # lines before a file's header: Google has 2, Microsoft 11
MAX_UNDECIDED_ROWS = 50_000  # rows that wait until a file shows what its decimal mark is: 100 MB
MAX_NUMBER_CHARS = 60  # text of a number in a file, with signs and blanks
MAX_KNOWN_CELLS = 1 << 16  # texts of cells whose number or day is remembered while a file is read
MAX_DROP_REASONS = 50  # different reasons named in a receipt
MAX_COUNT_DIGITS = 15  # digits of a count in a file: int64 holds 18

# --- loading ----------------------------------------------------------------------------------------------------
MAX_FIGURE_BITS = 50  # bits of a stored number: 1.1e15, or 1.1 billion units of money, per entity and day
MAX_AMOUNT_DIGITS = 200  # of an amount that is rounded to millionths (text has at most 120): the rest is kept exactly
MAX_MICROS = 10**18 - 1  # money in millionths, a trillion units: sums stay within int64 (9.2e18)
MAX_ENTITY_KEY_BYTES = 1024  # DynamoDB's limit for a sort key
MAX_INVOICE_LINES = 500  # lines of an invoice that are kept one by one: 100 kB; the smallest others are added up
MAX_OBJECT_BYTES = 100_000  # an object as JSON; its item, of at most 400 kB, may need three times as much
MAX_OBJECT_ID_CHARS = 200  # an id as a platform or a file gives it: five times the longest that is known
MAX_HOLES = 1000  # quarantined keys a complete pull may have; with more it is loaded as an incomplete one
MAX_MEMBERS_BYTES = 300_000  # the list of a campaign's entities in a partition; beyond it its readers read all items
MAX_CHOSEN_ENTITIES = 10_000  # keys to read of a partition: a query for all of it costs a quarter per item
MAX_COVERAGE_BYTES = 300_000  # a coverage item; DynamoDB refuses items over 400 kB
MAX_ADJUSTED_ENTITIES = 200  # entities per day and slice whose adjustments are kept one by one: 26 kB of an item
MAX_ADJUSTED_CAMPAIGNS = 200  # campaigns by which the other entities of a day and slice are added up: as much again
MAX_ADJUSTED_CURRENCIES = 10  # currencies in which the other entities of a day and slice are added up
MAX_VANISH_QUESTION_DAYS = 21  # how long a held-back pull's question waits for a second one: three weekly pulls
MAX_FINDING_BYTES = 64 << 10  # a quality report's body
MAX_FINDINGS_READ = 200  # quality reports per page
MAX_COEFFICIENT_VERSIONS = 60  # of a series: two months of daily runs, each 10 to 60 kB
MAX_SCORED_DAYS = 395  # of an ad account: scores are kept for 400 days, 1 kB each
MAX_CHECKED_BILL_MONTHS = 3  # months back whose bills are compared after each run: corrections come that late
MAX_HELD_READ = 1000  # entries of the quarantine that one page looks at: 1 MB
MAX_HELD_SHOWN = 200  # refused rows of an object that one answer shows; `adweir raw` prints all
MAX_CLEANING_SAMPLES = 50  # examples of cleaned values per load
MAX_LINES_NAMED = 5  # lines that a check names of each rule and field
MAX_FAILED_RULES_NAMED = 10  # rules named in a quality report, the most frequent first
MAX_LISTED_CHANGES = 5000  # changed numbers listed per answer; their count goes on
MAX_CHANGES_FILES = 2000  # loads undone per answer as of a moment: 20 s of S3 requests
MAX_KNOWN_CHANGES_FILES = 200  # newest loads that the state of curated/ names per series, else it reads a day again
MAX_PAST_ITEMS = 300_000  # items undone per answer: 300 MB
MAX_LEASE_LOOKS_SECONDS = (
    300  # an object waits without being read; then its task hears of it, before it counts as stale
)
MAX_BUSY_WAITS = 5000  # waits of one object for its partition: about two days
MAX_FOLDED_RECORDS = 1_000_000  # records that a fold counts, each by 16 bytes: 22 MB of an object, 0.3 s to read
MAX_REGISTERED_RECORDS = 100_000_000  # orders of a source whose newest statement is known: 4 GB in 3,000 objects
MAX_SHARD_RECORDS = 65_536  # of them, or of their sums, per object: 3 MB, 25 MB of memory, 0.1 s to read and write
MAX_STREAM_AGE_DAYS = 70  # of an hour that records still change: a platform revises 60 days, a fold lives 90
MAX_STREAM_BYTES = 64 << 20  # records of an object, unpacked: what Lambda hands over at once has 6 MB
MAX_FOLDED_KEYS = 200_000  # sums of a fold: 20 MB of the same object

MAX_COUNTED_HOURLY_DAYS = 100  # days of hours that the answer to a replay's request counts: a read per day
MAX_REPLAYED_OBJECTS = 500  # objects that one message or call of a replay sends: the next one continues
MAX_REPLAY_PLACE = 1_000_000  # the part at which a replay's message goes on: more than all datasets have months
MAX_OBJECT_KEY_CHARS = 1024  # an S3 object's key: S3's limit, in bytes

# --- collecting -------------------------------------------------------------------------------------------------
MAX_PULL_PARTS = 200  # parts of one pull that pauses: their names fit into 2 kB of S3 metadata
MAX_SPLIT_DEPTH = 6  # splits of a task: 64 parts
MAX_RESUBMITTED_REPORTS = 1  # a report that fails is requested once more
MAX_GUESSED_WAIT_SECONDS = 300  # between two tries where the platform does not say how long
MAX_PLATFORM_WAIT_SECONDS = 86_400  # a wait that a platform asks for: its quotas last a day at most
MAX_WAITING_STORES = 50  # calls to store records, of a client and data type, that are accepted and not loaded yet
MAX_LISTING_SECONDS = 900  # how long lists of ad accounts hold up a run: of one platform, the other platforms' too
MAX_BRAKE_SECONDS = 900  # an open circuit breaker's pause
MAX_ANSWER_SECONDS = 90  # a request with all its tries, a file without what is done with its bytes: polling has 120 s
MAX_CHECK_SECONDS = 12  # the check of a credential that somebody is storing: the API answers within 29 s
MAX_CHECKED_PROFILES = 500  # ad accounts that this check names
MAX_RESPONSE_BYTES = 64 << 20  # a platform's answer, or a page of it, in memory
MAX_PIECE_BYTES = 64 << 20  # one element of a streamed JSON array
MAX_PAGE_HEADER_BYTES = 64 << 10  # the header line of a raw page
MAX_LOOKBACK_DAYS = 400  # of an ad account: a daily run pulls so many days again; the longest window known has 145
MAX_BACKFILL_DAYS = 1830  # five years: no platform keeps more
MAX_KNOWN_AMOUNTS = 1 << 16  # texts of amounts that one container knows in millionths
MAX_KNOWN_ENTITIES = 1 << 16  # entities of a report whose id is kept as text while it is read
MAX_SUMMED_ROWS = 500_000  # days of ads that are added up while a report is read: 250 MB
MAX_KNOWN_OPTIONS = 1000  # ad accounts whose options one container remembers
MAX_OPTIONS_AGE_SECONDS = 300  # of remembered options; each load looks at the end whether others count by then
MAX_KNOWN_WAYS = 1000  # ad accounts of which one container remembers which brakes concern them
MAX_CACHED_SECRETS = 1000  # secrets kept by one container
MAX_REMEMBERED_OBJECTS = 10_000  # doors, their ad accounts and objects that a container remembers: some 20 MB
MAX_SECRET_AGE_SECONDS = 300  # of a kept secret; one that the API sets, replaces or revokes is known at once
MAX_KNOWN_TOKENS = 1000  # access tokens kept by one container, each until its end
MAX_SPECS = 200  # stored specs of APIs: they are listed in one answer
MAX_SPEC_BYTES = 64_000  # a spec as JSON: its item; the longest that is known, of eleven datasets, has 9 kB
MAX_SPEC_TEXT_CHARS = 4000  # one text of a spec: a query that names two hundred columns
MAX_SPEC_DEPTH = 12  # nested lists and objects of a request's JSON body
MAX_SPEC_ACCOUNTS = 200  # ad accounts that a spec itself names
MAX_DESCRIBED_BYTES = 16 << 20  # a page of JSON of an API by description: ten times as much in memory
MAX_FEED_OBJECTS = 1000  # objects that one pull reads of a bucket: a day's, of a job that writes one a minute
MAX_DESCRIBED_PAGES = 10_000  # pages of one pull: an API that never says the end would be asked for ever

# --- running and reading ----------------------------------------------------------------------------------------
MAX_TASKS_MEASURED = 50_000  # tasks that /pipeline/metrics adds up: 4 s of CPU, the newest runs first
MAX_RECEIVES = 5  # of a message, as template.yaml has it; then it is a dead letter
MAX_DEAD_LETTERS = 200  # dead letters of a queue that one call looks at: 20 requests, each up to a second
MAX_MESSAGE_SHOWN_CHARS = 4000  # of a message's body in an answer: 1,000 of them stay below Lambda's 6 MB
MAX_MESSAGE_WAIT_SECONDS = 172_800  # how long a message may ask to wait: a platform's day, twice; then it is worked on
MAX_SCHEDULED_AHEAD_DAYS = 366  # a run's scheduled time after now, e.g. of a sandbox whose clock was moved
MAX_JOBS = 200  # jobs of a deployment: they are listed in one answer, each with its next times
MAX_ACCOUNT_JOBS = 50  # jobs that name one client account
MIN_JOB_MINUTES = 15  # between two times of a job: no platform has new numbers sooner, and each run asks all of them
MAX_JOB_INTERVAL_DAYS = 365  # a job's interval
MAX_CRON_CHARS = 200  # a cron expression as it is written out: EventBridge Scheduler takes 256 with what is around it
MAX_DELAY_SECONDS = 900  # SQS's limit for a delayed message
MAX_PATIENT_TASKS = 6  # tasks of backfills under way on a platform: of ten workers, four are free for a run that begins
MAX_PATIENT_PROFILE_TASKS = 3  # of them, tasks of one ad account
MAX_LANE_WAIT_SECONDS = 259_200  # a backfill waits three days for a new credential; then the ad account has failed
MAX_STAGE_REQUESTS = 48  # times that a stage is requested again: four hours of sweeps; then its run fails
MAX_START_SECONDS = 3600  # from a run's request to its begin: a message that waits longer has become a dead letter
MAX_TURN_WAITS = 2880  # minutes that a redrive waits for the end of an open run: two days; then it is quarantined
MAX_WORKFLOWS = 100  # stored workflows of a deployment: they are listed in one answer
MAX_WORKFLOW_STAGES = 20  # stages of a workflow: each may be current at once, and is in the run's item with its record
MAX_WORKFLOW_BYTES = 20_000  # a workflow as JSON: it is in each run's item, which is read for each task that ends
MAX_STAGE_TIMEOUT_MINUTES = 4320  # a stage's time-out: three days, twice what the slowest platform's report may take
MAX_WORKFLOW_FAULTS = 50  # faults of a refused workflow that are listed
MAX_BATCH_DAYS = 366  # days of one pull that a pipeline's batch_size may ask for: no platform answers more at once
MAX_RANGE_BATCHES = 400  # pulls per ad account and dataset that a pipeline's date_range is cut into: a task each
MAX_SWEEP_PARTS = 20  # invocations by which a sweep goes on at once: 15 minutes; the next one is due after 5
MAX_SWEPT_RUNS = 500  # open runs per sweep; the next one goes on from there
MAX_REFRESHES_BEGUN = 100  # runs of `refresh` that one message of a sweep begins: 15 s of it; the next one goes on
MAX_BREACHES = 2000  # breaches that are open or were until lately: each look reads all of them, 1 kB each
MAX_FAULTS_NAMED = 100  # faults that the health lists, and stored items that one container remembers as unreadable
MAX_TASKS_LOOKED_AT = 10_000  # tasks of a run that one page looks at for those that are asked for: 10 MB, 3 s
MAX_DEEDS_LOOKED_AT = 5000  # entries of the audit that one page looks at for those that are asked for: 3 MB, 1 s
MAX_DEED_FIELDS = 10  # changed fields that the audit keeps of one deed, with their values before and after
MAX_DEED_VALUE_CHARS = 120  # of such a value: a page of 1,000 deeds stays below Lambda's 6 MB
MIN_OWN_DEED_SECONDS = 3600  # between two entries of the same thing that the system does by itself to the same subject
MAX_FAILED_TASKS_SHOWN = 200  # tasks listed in a run's answer
MAX_KEPT_BUDGETS = 100  # budgets of a campaign that are kept with the day of their first list: 7 kB
MAX_COLUMN_CHANGES = 200  # meanings of conversion columns per campaign: twenty columns, ten changes of each
MAX_SWEPT_SCHEDULES = 100  # report schedules of an earlier run that are deleted before one is made
CREDENTIAL_ENDS_SOON_DAYS = 30  # days before the end of a credential from which the health warns of it
MAX_QUERY_DAYS = 1100  # days per query: three years
MAX_LIVE_DAYS = 31  # days of a query that may be answered by their hours: each is a partition
MAX_MISSING_SLICES_NAMED = 1000  # slices that an answer's coverage names as missing: 100 kB; the others are counted
MAX_QUERY_GROUPS = 300_000  # groups per answer, kept in memory: about 300 MB
MAX_SPLIT_RESTS = 500_000  # campaigns and days of which an answer tells what their regions leave: 200 MB
MAX_EXPORT_GROUPS = 1_000_000  # groups per part of an export: about 1 GB of etl's 3
MAX_EXPORT_BYTES = 2 << 30  # an export's file: etl has 4 GiB of disk for it, and S3 takes 5 GB at once
MAX_EXPORT_LOOKS = (
    40  # at the query of an export before it is made from the store: half an hour, after which Athena ends it
)
MAX_SQL_BYTES = 262_144  # a statement: Athena takes no longer one
MAX_AGGREGATED_MONTHS = 36  # of a client's sums, the current one included: each is read anew by every stage
MAX_AGGREGATED_GROUPS = 200_000  # sums by campaign and day of a month, in memory: 200 MB; the same per week and month
MAX_CURATED_ROWS = (
    4_000_000  # rows of an ad account, level and month in SQL's tables: 350 s of curate's 600, 2.2 GB of its disk
)
MAX_CURATED_OBJECTS = 500_000  # objects of an ad account whose names those tables show: 500 MB
MAX_RETRIEVED_RECORDS = 5000  # records per page of `retrieve`
MAX_KEPT_RECORDS = 100_000  # records of `retrieve` that are kept for further pages: 200 MB until they are written
MAX_SHELVED_RECORDS = 50_000  # records that are kept behind a page by `offset`
MAX_RETRIEVE_OFFSET = 10_000_000  # records that `retrieve` skips
MAX_REPORT_METRICS = 30  # metrics per report
MAX_REPORT_DIMENSIONS = 12  # dimensions per report
MAX_REPORT_SEGMENTS = 20  # segments per report
MAX_REPORT_ORDERS = 5  # columns that a report is ordered by
MAX_LISTED_RATES = 5000  # exchange rates that an answer lists, one a client, currency and day: 800 kB
MAX_REPORT_LIMIT = 1000  # rows that a report shows of each currency, where it shows the first only
MAX_ASKED_BYTES = 8000  # an answer to an assistant as JSON: no tokenizer makes more tokens than bytes
MAX_ASKED_TEXT_CHARS = 80  # of a name, a search term or another text of others in such an answer
MAX_ASKED_REASON_CHARS = 1500  # of what such a call is refused with: a list of what is known
MAX_REDRIVEN_TASKS = 1000  # task ids per redrive; without ids all failed tasks are tried again
MAX_CHECKED_RECORDS = 5000  # records per call of `validate`
MAX_SCHEMA_FIELDS = 500  # fields of a quality schema
MAX_SCHEMA_NAME_CHARS = 200  # a field's name: it is part of each of its issues
MAX_COMPARED_ACCOUNTS = 100_000  # ad accounts of which a check remembers currency and time zone: 30 MB
MAX_SCHEMA_ISSUES = 10_000  # issues per answer
MAX_SCHEMA_ISSUE_CHARS = 1_000_000  # their texts: at most 6 MB as JSON, which is what Lambda answers
MAX_PATTERN_CHARS = 200  # a regular expression in a quality schema
MAX_PATTERN_STEPS = 1000  # instructions of such an expression: a character of the text may need all of them
MAX_MATCHED_CHARS = 2000  # a text that such an expression is matched against
MAX_INLINE_REPORT_BYTES = 5 << 20  # a report in the answer, as a JSON string: Lambda answers at most 6 MB
MAX_APPLIED_BYTES = 8 << 20  # a file for `adweir apply`: 100 workflows and some hundred mappings are 4 MB
MAX_APPLIED_VALUES = 500_000  # values in it, aliases followed: about 300 MB

# --- media mix --------------------------------------------------------------------------------------------------
MAX_MIX_CHANNELS = 30  # channels of a fit: a minute for three years of days; with more, none is told from the others
MAX_MIX_CONTROLS = 40  # columns of controls of a fit
MAX_MIX_PERIODS = 1500  # days or weeks of a fit: four years of days
MAX_MIX_GEOS = 60  # geos of a fit: the states of a country
MAX_MIX_ROWS = 12_000  # geos times periods of a fit: a hundred megabytes for a dozen channels
MAX_MIX_DRAWS = 50  # drawn models of a family that a fit is stored with, for reallocations: 30 channels are 150 kB
MAX_MIX_DAYS = 1096  # days that a media-mix dataset goes back: three years
MAX_PLANNED_DAYS = 1096  # days that a budget is distributed for: three years, as long as what curves are drawn from
MAX_PLANNED_AMOUNT = 10**12  # a budget that is distributed, or a channel's bound: a trillion units of money
MAX_LIFT_TESTS = 50  # experiments that calibrate a fit
MAX_LISTED_LIFT_TESTS = 500  # experiments of a client that a dataset's manifest lists: 200 kB of it
MAX_NAMED_LIFT_TESTS = 50  # experiments that the warnings of a version name as not used: 10 kB of its item

# --- anomalies --------------------------------------------------------------------------------------------------
MAX_WATCHED_MONTHS = 13  # months before the current one from which what is usual is learned anew
MAX_WATCHED_CAMPAIGNS = 20_000  # campaigns of an ad account that are watched: 200 MB of states
MAX_WATCHED_ADS = 5000  # ads of an ad account that are watched: 50 MB of states
MAX_WATCHED_ARMS = 2000  # arms in an ad account that are watched: 20 MB of states
MAX_COMPARED_DAYS = 400  # settled days that arriving numbers may be compared with: what detect learns, 13 months
MAX_ANOMALIES_PER_DAY = 50  # incidents of an ad account that begin on one day
MAX_ANOMALY_PARTS = 20  # parts of an incident's entity that are named
MAX_ANOMALY_BUDGETS = 5  # changed budgets that an incident names
MAX_ANOMALY_DAYS = 60  # days of an incident that are named
MAX_ANOMALY_SCAN = 3000  # incidents that one page of a list looks at
MAX_EXPECTED_MARKS = 200  # incidents of an ad account that are remembered as expected

# --- what bandits know of arms -----------------------------------------------------------------------------------
MAX_LEARNED_DAYS = 365  # days before today that arms are learned from: a day counts 2.6 % by then
MAX_ARM_DAYS = 1_000_000  # days of arms and their breakdowns that a client is learned from: 400 MB
MAX_CONTEXT_DAYS = 90  # the same of their breakdowns: four months of each are read
MAX_CONTEXT_VALUES = 40  # values of a breakdown that an arm's state has, those with the most clicks: 5 kB

# --- features ---------------------------------------------------------------------------------------------------
MAX_FEATURE_ADS = 20_000  # ads of an ad account that have features: two months of days of each are held, 300 MB
MAX_FEATURES_LOOKED_AT = 2000  # rows that one page of features looks at for those that are asked for: 4 MB

# --- the library ------------------------------------------------------------------------------------------------
MAX_BACKOFF_SECONDS = 3600  # between two tries of retry_with_backoff, where no platform asks for more
MAX_CLIENT_FAILURES = 5  # times that a request is asked again which gets no answer: each has retries of its own
MAX_CLIENT_OPEN_REPORTS = 100  # reports that one call has platforms make at a time
MAX_CLIENT_PROFILES = 10_000  # ad accounts that one client remembers: 10 MB
MAX_SCORED_ROWS = 1_000_000  # values of a series that one call of the detector scores: 6 s, 400 MB

MAX_ENRICH_KINDS = 20  # that one call names
MAX_ENRICHED_TEXT = 5000  # characters of one part of an ad that models read: Amazon Comprehend takes 5,000 bytes
MAX_ENRICHED_COPIES = 200_000  # of one client, told apart by what they say: 25 MB of hashes, two minutes
MAX_ENRICHED_NAMES = 400  # that a client's ads are searched for: a millisecond per ad
MAX_SHOWN_BENCHMARKS = 20  # that one rate of an ad is compared with
MAX_ENTITIES = 50  # of one ad: a headline and a description have some five
